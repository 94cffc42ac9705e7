import Networks
import Parallel

/// Trains the prior auto-encoder on label maps: maximises E_q log p(labels given z) - beta KL(q, p).
///
/// Every step takes a random variation of a random map. All that a step depends on is in the state that
/// checkpoints hold, so that a training which was stopped goes on as if it had not been.
package final class PriorTrainer: Trainer {
  package let settings: PriorSettings
  package let model: any LabelModel
  /// Steps taken are `state.adam.steps`.
  package private(set) var state: TrainingState
  private let augmentation: MapAugmentation
  private let evaluator: PriorEvaluator?
  private let gradients: ParameterValues
  private let voxels: Int
  private var labels: [UInt8] = []
  private var sums = LossSums()

  /// A step judges one of so many parts of the voxels: neighbours tell much the same, and time is
  /// better spent on another map.
  static let parts = 4
  /// Largest norm of the gradient of the loss a voxel; a usual step is far below it.
  private static let largestNorm = 1.0

  /// `evaluated` are maps to report on: those held out, or, if `heldOut` is false, some of `maps`.
  /// `notes` go into checkpoints.
  ///
  /// - Throws: `NetworkError`.
  package init(
    _ settings: PriorSettings, prior: LocationPrior, maps: AlignedMaps,
    evaluated: AlignedMaps?, heldOut: Bool, notes: [String: String] = [:]
  ) throws {
    self.settings = settings
    model = try settings.network(for: prior, purpose: .training)
    guard let gradients = model.gradients else {
      preconditionFailure("no gradients")
    }
    self.gradients = gradients
    augmentation = MapAugmentation(maps, settings: settings.augmentation)
    evaluator = try evaluated.map { try PriorEvaluator($0, heldOut: heldOut, prior: prior) }
    voxels = prior.grid.count
    var adam = Adam.Settings()
    adam.largestNorm = Self.largestNorm
    // A short memory of the gradients' size: it changes as soon as the latent is found to be useful.
    adam.beta2 = 0.99
    model.parameters.initialize(seed: settings.seed)
    model.update()
    state = TrainingState(
      weights: model.parameters, adam: try Adam(model.parameters.list, settings: adam),
      random: Philox(seed: settings.seed, .steps), threads: Parallel.threads,
      notes: notes)
  }

  /// Takes up the newest whole checkpoint; returns its step, if there is one, and what was wrong with newer
  /// ones.
  package func restore(_ folder: CheckpointFolder) -> (steps: Int?, damaged: [any Error]) {
    let result = folder.restore(&state)
    model.update()
    sums = state.sums(LossSums.self) ?? sums
    return result
  }

  /// Whether all steps are taken.
  package var isFinished: Bool { state.adam.steps >= settings.steps }

  /// One step; returns what is to be told of the loss after it.
  package func step() throws -> [PriorReport] {
    let step = state.adam.steps
    let maps = augmentation.maps
    let index = Int(state.random.next() % UInt64(maps.maps.count))
    augmentation.draw(index, random: &state.random, into: &labels)
    ChannelMap.fill(&labels, with: UInt8(maps.space.table.count))
    let loss = try differentiate()
    let rate = settings.schedule.rate(step)
    let norm = try state.step(gradients, rate: rate)
    model.update()
    sums.add(loss, voxels: voxels, norm: norm)
    let reports: [PriorReport] = sums.reports(after: step + 1, of: settings.steps, rate: rate)
    try state.keep(sums)
    return reports
  }

  /// Gradients of the mean over samples of z.
  private func differentiate() throws -> LabelLoss {
    let scale = 1 / Float(voxels * settings.samples)
    var (reconstruction, divergence) = (0.0, 0.0)
    var sum: Tensor?
    for sample in 0..<settings.samples {
      let epsilon = (0..<model.latentCount).map { _ in state.random.normal() }
      let loss = try model.differentiate(
        labels, epsilon: epsilon, beta: Float(settings.beta), scale: scale,
        part: VoxelPart(stride: Self.parts, phase: Int(state.random.next() % UInt64(Self.parts))))
      reconstruction += loss.reconstruction / Double(settings.samples)
      divergence += loss.divergence / Double(settings.samples)
      guard settings.samples > 1 else { break }
      if let sum {
        sum.add(gradients.all)
      } else {
        let first = try Tensor(count: gradients.all.count)
        first.assign(gradients.all.elements)
        sum = first
      }
      if sample == settings.samples - 1, let sum { gradients.all.assign(sum.elements) }
    }
    return LabelLoss(reconstruction: reconstruction, divergence: divergence)
  }

  /// Whether whole maps are to be looked at after the steps taken.
  var isEvaluationDue: Bool {
    let steps = state.adam.steps
    return evaluator != nil && steps > 0 && (steps % settings.evaluationInterval == 0 || isFinished)
  }

  /// Looks at whole maps; nil if asked to stop meanwhile.
  func evaluate(unless shouldStop: () -> Bool) throws -> PriorReport? {
    try evaluator?.evaluate(model, step: state.adam.steps, unless: shouldStop)
      .map { .evaluation($0) }
  }

  /// Variations of each map and of its mirror image that `encodings` looks at.
  private static let variations = 3

  /// The distribution of the encodings of all maps, their mirror images and some variations; nil if
  /// asked to stop meanwhile.
  func encodings(unless shouldStop: () -> Bool) throws -> EncodingDistribution? {
    let maps = augmentation.maps
    let unknown = UInt8(maps.space.table.count)
    var random = Philox(seed: settings.seed, .variations)
    var latents: [GaussianLatent] = []
    var centres: [Int] = []
    for (index, map) in maps.maps.enumerated() {
      if shouldStop() { return nil }
      var variants = [map.channels] + [map.mirrored].compactMap { $0 }
      centres += variants.indices.map { latents.count + $0 }
      for _ in 0..<Self.variations { variants.append(augmentation.draw(index, random: &random)) }
      for labels in variants {
        latents.append(try model.encode(ChannelMap.filled(labels, with: unknown)))
      }
    }
    return EncodingDistribution(of: latents, centres: centres, most: Self.mostFactors)
  }

  private static let mostFactors = 48
}
