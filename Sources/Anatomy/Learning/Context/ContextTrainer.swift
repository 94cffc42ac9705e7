import Networks
import Parallel

/// Trains a `ContextNetwork` on tiles of scans drawn from label maps: minimises
///
///     -log( q_t exp(r_t) / sum over k of q_k exp(r_k) )
///
/// where q are the posteriors that a fit of the scan finds voxel by voxel, r is what the network makes of them, and
/// t is the label that the voxel was drawn from, or, where a neighbour was drawn from it, the most probable one of q:
/// whether a border lies a voxel further in or out is a convention, and drawn scans and real ones do not share it.
/// Nor is anything gained where they do: with borders judged too, what is learned from 12 maps is worth 0.003 and not
/// 0.013 on drawn scans of changed anatomy, for noise decides there, and drowns the rest.
///
/// Depends on its inputs, the settings and the number of steps taken alone.
final class ContextTrainer: Trainer {
  let settings: ContextSettings
  let network: ContextNetwork
  private(set) var state: TrainingState
  private let drawing: ContextDrawing
  private let evaluator: ContextEvaluator
  private let loss: ContextLoss
  private let gradients: ParameterValues
  private var current: (number: Int, example: ContextDrawing.Example)?
  /// The next scan, until it has been fitted.
  private var drawn: (attempt: Int, scan: ContextDrawing.Drawn)?
  private var sums = Sums()

  /// Means over the steps since the last report.
  private struct Sums: Codable {
    var loss = 0.0
    var first = 0.0
    var count = 0
  }

  private static let reportInterval = 50
  /// Voxels of a tile along each axis.
  private static let tile = 64

  /// Scans are drawn from `maps`; `shown` are looked at.
  ///
  /// - Throws: `NetworkError`, what `Segmenter` throws.
  init(
    _ settings: ContextSettings, prior: LocationPrior, maps: AlignedMaps, shown: AlignedMaps,
    notes: [String: String]
  ) throws {
    self.settings = settings
    drawing = try ContextDrawing(maps, prior: prior, augmentation: settings.augmentation)
    let shape = ContextShape(labels: drawing.merge.count)
    let extents = Extents(Self.tile, Self.tile, Self.tile)
    network = try ContextNetwork(shape, extents: extents, trains: true)
    guard let gradients = network.gradients else {
      preconditionFailure("no gradients")
    }
    self.gradients = gradients
    loss = try ContextLoss(
      network.activation, isJudged: drawing.isJudged, margin: ContextShape.reach)
    network.parameters.initialize(seed: settings.seed)
    network.update()
    evaluator = ContextEvaluator(
      try ContextDrawing(shown, prior: prior, augmentation: .none))
    var adam = Adam.Settings()
    adam.beta2 = 0.98
    adam.largestNorm = 1
    state = TrainingState(
      weights: network.parameters, adam: try Adam(network.parameters.list, settings: adam),
      average: try WeightAverage(network.parameters.list),
      random: Philox(seed: settings.seed, .tiles), threads: Parallel.threads,
      notes: notes)
  }

  func restore(_ folder: CheckpointFolder) -> (steps: Int?, damaged: [any Error]) {
    let result = folder.restore(&state)
    network.update()
    sums = state.sums(Sums.self) ?? sums
    return result
  }

  var isFinished: Bool { state.adam.steps >= settings.steps }

  func step() throws -> [ContextReport] {
    let step = state.adam.steps
    let number = step / settings.tiles
    // Drawing and fitting take seconds: between them, the loop looks whether it is asked to stop.
    guard let example = current.flatMap({ $0.number == number ? $0.example : nil }) else {
      try prepare(number)
      return []
    }
    let place = example.place(network.extents, random: &state.random)
    example.view.fill(loss.posteriors, network.activation, from: place)
    network.forward(loss.posteriors, into: loss.logits)
    let (value, first) = loss.differentiate(example.truth, on: example.grid, from: place)
    network.backward(loss.posteriors, r: loss.logits, dr: loss.logits)
    let rate = settings.schedule.rate(step)
    _ = try state.step(gradients, rate: rate)
    network.update()
    if state.adam.steps > settings.stepsBeforeAverage { state.average?.add(network.parameters) }
    sums.loss += value
    sums.first += first
    sums.count += 1
    var reports: [ContextReport] = []
    if (step + 1) % Self.reportInterval == 0 || isFinished {
      let count = Double(sums.count)
      reports.append(
        ContextReport(
          step: step + 1, loss: sums.loss / count, firstLoss: sums.first / count, rate: rate))
      sums = Sums()
    }
    try state.keep(sums)
    return reports
  }

  /// Draws the scan of a number, or fits it once it is drawn. What cannot be fitted is drawn anew.
  private func prepare(_ number: Int) throws {
    let attempt = drawn?.attempt ?? 0
    guard let scan = drawn?.scan else {
      drawn = (0, drawing.draw(number * ContextDrawing.attempts, seed: settings.seed))
      return
    }
    do {
      current = (number, try drawing.example(scan))
      drawn = nil
    } catch is AnatomyError where attempt + 1 < ContextDrawing.attempts {
      let next = drawing.draw(number * ContextDrawing.attempts + attempt + 1, seed: settings.seed)
      drawn = (attempt + 1, next)
    }
  }

  var isEvaluationDue: Bool {
    let steps = state.adam.steps
    return isFinished || (steps > 0 && steps % settings.evaluationInterval == 0)
  }

  /// What has been learned: the mean of weights, once there is one.
  var weights: ParameterValues {
    state.average.flatMap { $0.count > 0 ? $0.values : nil } ?? network.parameters
  }

  func evaluate(unless shouldStop: () -> Bool) throws -> ContextReport? {
    let current = Array(network.parameters.all.elements)
    network.parameters.all.assign(weights.all.elements)
    network.update()
    defer {
      network.parameters.all.assign(current)
      network.update()
    }
    return try evaluator.evaluate(network, loss, step: state.adam.steps, unless: shouldStop)
  }
}
