import Imaging
import Networks

/// Judges an encoder of scans by whole scans, beside the location prior.
struct EncoderEvaluator {
  /// Scans and, where they are known, their labels.
  private let scans: [(observation: ScanObservation, labels: [UInt8]?)]
  private let table: LabelTable
  private let priorDice: Double?
  private let priorExact: Double
  private let settings: EncoderSettings

  init(
    _ inputs: EncoderTrainer.Inputs, simulation: SimulatedScan, prior: LocationPrior,
    _ settings: EncoderSettings
  ) throws {
    table = prior.table
    self.settings = settings
    var random = Philox(seed: 1, .judgedScans)
    let unknown = UInt8(prior.table.count)
    let drawn = (inputs.maps?.maps ?? []).map { map in
      let labels = ChannelMap.filled(map.channels, with: unknown)
      return (simulation.draw(labels, random: &random), Optional(map.channels))
    }
    scans = drawn + inputs.scans.map { ($0, nil) }
    let expected = prior.mostProbableChannels()
    let dice = scans.compactMap { scan in
      scan.labels.flatMap { LabelDice($0, expected, table: prior.table).mean }
    }
    priorDice = Self.mean(dice)
    // The layer without displacement or logits.
    let layer = WarpedPrior(prior.bytes, factor: 4, floor: WarpingShape.standardFloor).halved()
    let (shift, logits) = (
      try Tensor(count: layer.shift.count), try Tensor(count: layer.logits.count)
    )
    priorExact =
      Self.mean(
        scans.map { scan in
          -layer.loss(shift: shift, logits: logits, observed: scan.observation.exact)
            / Double(scan.observation.observed)
        }) ?? 0
  }

  private static func mean(_ values: [Double]) -> Double? {
    values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
  }

  /// Nil if asked to stop before all scans were looked at.
  func evaluate(
    _ encoder: ObservationEncoder, step: Int, unless shouldStop: () -> Bool
  ) throws -> EncoderEvaluation? {
    var dice: [Double] = []
    var (exact, jensen, divergence, bound) = (0.0, 0.0, 0.0, 0.0)
    let model = encoder.model
    // The same draws each time, so that bounds can be compared.
    var random = Philox(seed: 1, .judgedLatents)
    for (scan, labels) in scans {
      if shouldStop() { return nil }
      let latent = encoder.encode(scan.exact)
      exact -= try model.value(at: latent.mean, observed: scan.exact) / Double(scan.observed)
      jensen -= try model.value(at: latent.mean, observed: scan.jensen) / Double(scan.observed)
      divergence += latent.divergence
      let z = latent.sample(latent.mean.map { _ in random.normal() })
      let form = settings.likelihood == .jensen ? scan.jensen : scan.exact
      bound -=
        Double(settings.temperature) * (try model.value(at: z, observed: form))
        + settings.beta * latent.divergence
      if let labels {
        if let mean = LabelDice(labels, try model.decode(latent.mean), table: table).mean {
          dice.append(mean)
        }
      }
    }
    let count = Double(max(1, scans.count))
    return EncoderEvaluation(
      step: step, dice: Self.mean(dice), priorDice: priorDice, exact: exact / count,
      jensen: jensen / count, priorExact: priorExact, divergence: divergence / count,
      bound: bound / count)
  }
}
