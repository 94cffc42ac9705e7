import Networks

/// Judges a prior auto-encoder by label maps, beside the location prior that it starts from.
struct PriorEvaluator {
  private let maps: AlignedMaps
  private let heldOut: Bool
  private let priorDice: [LabelDice]
  private let priorCrossEntropy: Double

  /// `heldOut` says whether the maps were kept out of training.
  init(_ maps: AlignedMaps, heldOut: Bool, prior: LocationPrior) throws {
    self.maps = maps
    self.heldOut = heldOut
    let expected = prior.mostProbableChannels()
    priorDice = maps.maps.map { LabelDice($0.channels, expected, table: prior.table) }
    // The layer without displacement or logits.
    let layer = WarpedPrior(prior.bytes, factor: 2, floor: WarpingShape.standardFloor)
    let (shift, logits) = (
      try Tensor(count: layer.shift.count), try Tensor(count: layer.logits.count)
    )
    var sum = 0.0
    for map in maps.maps {
      sum += layer.loss(
        shift: shift, logits: logits, observed: .labels(map.channels))
    }
    priorCrossEntropy = sum / Double(maps.maps.count * prior.grid.count)
  }

  /// Nil if asked to stop before all maps were looked at.
  func evaluate(
    _ model: any LabelModel, step: Int, unless shouldStop: () -> Bool
  ) throws -> PriorEvaluation? {
    let table = maps.space.table
    let unknown = UInt8(table.count)
    var (scores, divergence, crossEntropy, used): ([LabelDice], Double, Double, Int) = ([], 0, 0, 0)
    for map in maps.maps {
      if shouldStop() { return nil }
      let labels = ChannelMap.filled(map.channels, with: unknown)
      let latent = try model.encode(labels)
      divergence += latent.divergence
      used += latent.divergences.count { $0 > 0.1 }
      crossEntropy += try model.loss(labels, at: latent.mean)
      scores.append(LabelDice(map.channels, try model.decode(latent.mean), table: table))
    }
    let count = Double(maps.maps.count)
    return PriorEvaluation(
      step: step, heldOut: heldOut, dice: Self.mean(scores.map(\.mean)),
      priorDice: Self.mean(priorDice.map(\.mean)), groups: groups(scores),
      priorGroups: groups(priorDice), maps: byMap(scores), priorMaps: byMap(priorDice),
      crossEntropy: crossEntropy / count / Double(maps.space.grid.count),
      priorCrossEntropy: priorCrossEntropy, divergence: divergence / count,
      usedDimensions: Double(used) / count / Double(max(1, model.latentCount)))
  }

  private static func mean(_ values: [Double?]) -> Double {
    let found = values.compactMap { $0 }
    return found.isEmpty ? 0 : found.reduce(0, +) / Double(found.count)
  }

  private func groups(_ scores: [LabelDice]) -> [String: Double] {
    var result: [String: Double] = [:]
    for (index, group) in maps.space.table.groups.enumerated() {
      let values = scores.compactMap { $0.groups[index] }
      if !values.isEmpty { result[group] = Self.mean(values) }
    }
    return result
  }

  private func byMap(_ scores: [LabelDice]) -> [String: Double] {
    var result: [String: Double] = [:]
    for (map, score) in zip(maps.maps, scores) { result[map.name] = score.mean }
    return result
  }
}
