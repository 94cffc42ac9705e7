import Networks
import Parallel

/// Trains an encoder of scans through the frozen decoder of a trained prior: maximises
/// E_q t log p(target given z) - beta KL(q, N(0, I)), the target being known labels, with t = 1, or the scan itself,
/// tempered (`EncoderSettings`).
///
/// Depends on its inputs and `state` alone.
final class EncoderTrainer: Trainer {
  /// What is learned from: where there are both, steps take turns.
  struct Inputs {
    /// Label maps that scans are drawn from.
    var maps: AlignedMaps?
    var scans: [ScanObservation] = []
  }

  let settings: EncoderSettings
  let encoder: ObservationEncoder
  private(set) var state: TrainingState
  private let inputs: Inputs
  private let augmentation: MapAugmentation?
  private let simulation: SimulatedScan
  private let evaluator: EncoderEvaluator
  private let gradients: ParameterValues
  /// Voxels of the atlas grid; scans are observed at every eighth.
  private let voxels: Int
  private var labels: [UInt8] = []
  private var sums = LossSums()

  /// A step with known labels judges one of so many parts of the voxels, as one of a prior's training does.
  private static let parts = PriorTrainer.parts
  private static let largestNorm = 1.0

  /// `evaluated` are looked at; weights are those of the encoder.
  ///
  /// - Throws: `NetworkError`.
  init(
    _ settings: EncoderSettings, encoder: ObservationEncoder, prior: LocationPrior,
    inputs: Inputs, evaluated: Inputs, notes: [String: String]
  ) throws {
    guard let gradients = encoder.gradients else {
      preconditionFailure("no gradients")
    }
    self.settings = settings
    self.encoder = encoder
    self.gradients = gradients
    self.inputs = inputs
    simulation = SimulatedScan(prior)
    voxels = prior.grid.count
    augmentation = inputs.maps.map { MapAugmentation($0, settings: settings.augmentation) }
    evaluator = try EncoderEvaluator(
      evaluated, simulation: simulation, prior: prior, settings)
    var adam = Adam.Settings()
    adam.largestNorm = Self.largestNorm
    adam.beta2 = 0.99
    state = TrainingState(
      weights: encoder.parameters, adam: try Adam(encoder.parameters.list, settings: adam),
      random: Philox(seed: settings.seed, .steps), threads: Parallel.threads,
      notes: notes)
  }

  func restore(_ folder: CheckpointFolder) -> (steps: Int?, damaged: [any Error]) {
    let result = folder.restore(&state)
    encoder.update()
    sums = state.sums(LossSums.self) ?? sums
    return result
  }

  var isFinished: Bool { state.adam.steps >= settings.steps }

  func step() throws -> [EncoderReport] {
    let step = state.adam.steps
    let (scan, target) = next()
    let voxels =
      switch target {
      case .labels: self.voxels
      case .observed: self.voxels / 8
      }
    let loss = try differentiate(scan, target, voxels: voxels)
    let rate = settings.schedule.rate(step)
    let norm = try state.step(gradients, rate: rate)
    encoder.update()
    sums.add(loss, voxels: voxels, norm: norm)
    let reports: [EncoderReport] = sums.reports(after: step + 1, of: settings.steps, rate: rate)
    try state.keep(sums)
    return reports
  }

  /// The next scan and what its decoding is judged by.
  private func next() -> (ScanObservation, ObservationEncoder.Target) {
    guard let maps = inputs.maps, inputs.scans.isEmpty || state.adam.steps % 2 == 0 else {
      let scan = inputs.scans[Int(state.random.next() % UInt64(inputs.scans.count))]
      return (scan, .observed(observation(of: scan), weight: settings.temperature))
    }
    let index = Int(state.random.next() % UInt64(maps.maps.count))
    augmentation?.draw(index, random: &state.random, into: &labels)
    ChannelMap.fill(&labels, with: UInt8(maps.space.table.count))
    let scan = simulation.draw(labels, random: &state.random)
    switch settings.source {
    case .scans:
      return (scan, .observed(observation(of: scan), weight: settings.temperature))
    case .simulated:
      let part = VoxelPart(
        stride: Self.parts, phase: Int(state.random.next() % UInt64(Self.parts)))
      return (scan, .labels(labels, part: part))
    }
  }

  /// What a scan's decoding is judged by where no labels are known.
  private func observation(of scan: ScanObservation) -> Observation {
    switch (settings.source, settings.likelihood) {
    case (.simulated, _): scan.square
    case (.scans, .exact): scan.exact
    case (.scans, .jensen): scan.jensen
    }
  }

  /// Gradients of the mean over samples of z.
  private func differentiate(
    _ scan: ScanObservation, _ target: ObservationEncoder.Target, voxels: Int
  ) throws -> LabelLoss {
    let scale = 1 / Float(voxels * settings.samples)
    var (reconstruction, divergence) = (0.0, 0.0)
    var sum: Tensor?
    let input = scan.exact
    for _ in 0..<settings.samples {
      let epsilon = (0..<encoder.model.latentCount).map { _ in state.random.normal() }
      let loss = try encoder.differentiate(
        input, target: target, epsilon: epsilon, beta: Float(settings.beta), scale: scale)
      reconstruction += loss.reconstruction / Double(settings.samples)
      divergence += loss.divergence / Double(settings.samples)
      guard settings.samples > 1 else { break }
      let total = try sum ?? Tensor(count: gradients.all.count)
      total.add(gradients.all)
      sum = total
    }
    if let sum { gradients.all.assign(sum.elements) }
    return LabelLoss(reconstruction: reconstruction, divergence: divergence)
  }

  var isEvaluationDue: Bool {
    state.adam.steps % settings.evaluationInterval == 0 || isFinished
  }

  func evaluate(unless shouldStop: () -> Bool) throws -> EncoderReport? {
    try evaluator.evaluate(encoder, step: state.adam.steps, unless: shouldStop)
      .map { .evaluation($0) }
  }
}
