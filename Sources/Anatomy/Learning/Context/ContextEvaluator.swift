import Networks

/// Judges a `ContextNetwork` by tiles of scans drawn from maps as they are, beside the posteriors that it looks at.
struct ContextEvaluator {
  private let drawing: ContextDrawing

  /// Tiles of each scan.
  private static let tiles = 12
  private static let seed: UInt64 = 1 << 32

  init(_ drawing: ContextDrawing) { self.drawing = drawing }

  /// Nil if asked to stop before all scans were looked at.
  func evaluate(
    _ network: ContextNetwork, _ loss: ContextLoss, step: Int, unless shouldStop: () -> Bool
  ) throws -> ContextReport? {
    let labels = drawing.merge.count
    var (sizes, first, final) = (
      [[Int]](repeating: [0, 0, 0], count: labels), [Int](repeating: 0, count: labels),
      [Int](repeating: 0, count: labels)
    )
    for map in drawing.maps.maps.indices {
      if shouldStop() { return nil }
      let example = try drawing.example(of: map, seed: Self.seed)
      var random = Philox(seed: Self.seed, stream: UInt64(map))
      for _ in 0..<Self.tiles {
        let place = example.place(network.extents, random: &random)
        example.view.fill(loss.posteriors, network.activation, from: place)
        network.forward(loss.posteriors, into: loss.logits)
        loss.labels(example.truth, on: example.grid, from: place) { truth, before, after in
          guard truth != ChannelMap.missing else { return }
          sizes[Int(truth)][0] += 1
          sizes[before][1] += 1
          sizes[after][2] += 1
          if before == truth { first[before] += 1 }
          if after == truth { final[after] += 1 }
        }
      }
    }
    func mean(_ shared: [Int], _ which: Int) -> Double {
      let found = sizes.indices.filter { drawing.isJudged[$0] && sizes[$0][0] > 0 }
      return found.reduce(0) {
        $0 + 2 * Double(shared[$1]) / Double(sizes[$1][0] + sizes[$1][which])
      } / Double(max(1, found.count))
    }
    return ContextReport(step: step, dice: mean(final, 2), firstDice: mean(first, 1))
  }
}
