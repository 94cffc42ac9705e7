import CKernels
import Foundation
import Imaging
import Networks
import Parallel

/// Trains a `ContextNetwork` on tiles of scans drawn from label maps: minimises
///
///     -log( q_t exp(r_t) / sum over k of q_k exp(r_k) )
///
/// where q are the posteriors that a fit of the scan finds voxel by voxel, r is what the network makes of them, and
/// t is the label that the voxel was drawn from, or, where a neighbour was drawn from it, the most probable one of q:
/// whether a border lies a voxel further in or out is a convention, and drawn scans and real ones do not share it.
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

/// Cross-entropy of a tile, and its gradient with respect to residual logits.
struct ContextLoss {
  /// q, what the network looks at.
  let posteriors: Tensor
  /// r; becomes the gradient.
  let logits: Tensor
  private let exponentials: Tensor
  private let shape: ActivationShape
  private let isJudged: [Bool]
  private let margin: Int

  /// Share of labels that are judged in a posterior below which a voxel of another label is not.
  private static let leastShare: Float = 0.01
  /// Least share of a label in a posterior.
  private static let floor: Float = 1e-4
  /// exp(r) of larger logits is that of this one.
  static let limit: Float = 30

  /// Judged are voxels of labels that are, and those that may be taken for them, unless they are closer than
  /// `margin` to the border. Throws `NetworkError`.
  init(_ shape: ActivationShape, isJudged: [Bool], margin: Int) throws {
    self.shape = shape
    self.isJudged = isJudged
    self.margin = margin
    (posteriors, logits) = (try Tensor(count: shape.count), try Tensor(count: shape.count))
    exponentials = try Tensor(count: shape.count)
  }

  /// Mean cross-entropy in nats over the voxels that are judged, and that of the posteriors themselves. `truth` lies
  /// on `grid`, of which the tile begins at `lower`.
  func differentiate(
    _ truth: [UInt8], on grid: Grid, from lower: SIMD3<Int>
  ) -> (loss: Double, first: Double) {
    let planes = visit(truth, on: grid, from: lower)
    let judged = planes.reduce(0) { $0 + $1.judged }
    let scale = 1 / Float(max(1, judged))
    Parallel.forEachRange(of: logits.count, size: 1 << 16) { range in
      for i in range { logits.pointer[i] *= scale }
    }
    let count = Double(max(1, judged))
    return (
      planes.reduce(0) { $0 + $1.loss } / count, planes.reduce(0) { $0 + $1.first } / count
    )
  }

  private struct PlaneSums: Sendable {
    var loss = 0.0
    var first = 0.0
    var judged = 0
  }

  /// Replaces logits by (p - 1 at the true label) where a voxel is judged, else by 0.
  private func visit(
    _ truth: [UInt8], on grid: Grid, from lower: SIMD3<Int>
  ) -> [PlaneSums] {
    let box = shape.extents
    let limit = Self.limit
    Parallel.forEachRange(of: logits.count, size: 1 << 16) { range in
      for i in range {
        exponentials.pointer[i] = min(max(logits.pointer[i], -limit), limit)
      }
      let at = exponentials.pointer + range.lowerBound
      segpipe_exp(at, at, range.count)
    }
    return Parallel.map(box.depth) { plane in
      var sums = PlaneSums()
      let z = lower.z + plane
      let isInside =
        plane >= margin && plane < box.depth - margin && z >= 0 && z < grid.extents.z
      for row in 0..<box.height {
        let y = lower.y + row
        let isJudged =
          isInside && row >= margin && row < box.height - margin && y >= 0 && y < grid.extents.y
        for column in 0..<box.width {
          let x = lower.x + column
          let voxel = (plane * box.height + row) * box.width + column
          var label = shape.channels
          if isJudged, column >= margin, column < box.width - margin, x >= 0, x < grid.extents.x {
            let at = grid.index(x, y, z)
            label = Int(truth[at])
            // The border is left where the posterior has it.
            let found = mostProbable(voxel)
            if label < shape.channels, isBeside(found, SIMD3(x, y, z), at, truth, grid.extents) {
              label = found
            }
          }
          judge(voxel, label, &sums)
        }
      }
      return sums
    }
  }

  private func judge(_ voxel: Int, _ label: Int, _ sums: inout PlaneSums) {
    guard label < shape.channels, isJudged[label] || share(voxel) > Self.leastShare else {
      for channel in stride(from: 0, to: shape.channels, by: Lanes.count) {
        (logits.pointer + shape.index(channel: channel, voxel: voxel))
          .update(repeating: 0, count: Lanes.count)
      }
      return
    }
    var (total, before): (Float, Float) = (0, 0)
    for channel in 0..<shape.channels {
      let i = shape.index(channel: channel, voxel: voxel)
      let q = posteriors.pointer[i] + Self.floor
      before += q
      total += q * exponentials.pointer[i]
    }
    for channel in 0..<shape.channels {
      let i = shape.index(channel: channel, voxel: voxel)
      let q = posteriors.pointer[i] + Self.floor
      logits.pointer[i] = q * exponentials.pointer[i] / total
    }
    let i = shape.index(channel: label, voxel: voxel)
    let q = posteriors.pointer[i] + Self.floor
    sums.loss -= Double(log(max(logits.pointer[i], 1e-30)))
    sums.first -= Double(log(q / before))
    sums.judged += 1
    logits.pointer[i] -= 1
  }

  private func mostProbable(_ voxel: Int) -> Int {
    var (best, highest) = (0, Float(-1))
    for channel in 0..<shape.channels {
      let q = posteriors.pointer[shape.index(channel: channel, voxel: voxel)]
      if q > highest { (best, highest) = (channel, q) }
    }
    return best
  }

  /// Whether a voxel has a neighbour of a label.
  private func isBeside(
    _ label: Int, _ at: SIMD3<Int>, _ voxel: Int, _ truth: [UInt8], _ extents: SIMD3<Int>
  ) -> Bool {
    let (row, plane) = (extents.x, extents.x * extents.y)
    return at.x > 0 && truth[voxel - 1] == label
      || at.x + 1 < extents.x && truth[voxel + 1] == label
      || at.y > 0 && truth[voxel - row] == label
      || at.y + 1 < extents.y && truth[voxel + row] == label
      || at.z > 0 && truth[voxel - plane] == label
      || at.z + 1 < extents.z && truth[voxel + plane] == label
  }

  /// Share of the posterior that labels have which are judged.
  private func share(_ voxel: Int) -> Float {
    isJudged.indices.reduce(0) {
      isJudged[$1] ? $0 + posteriors.pointer[shape.index(channel: $1, voxel: voxel)] : $0
    }
  }

  /// The most probable labels of all voxels farther from the border than `margin`, with r and without; `body` is told
  /// both.
  func labels(
    _ truth: [UInt8], on grid: Grid, from lower: SIMD3<Int>,
    _ body: (_ truth: UInt8, _ first: Int, _ final: Int) -> Void
  ) {
    let box = shape.extents
    for plane in margin..<box.depth - margin {
      for row in margin..<box.height - margin {
        for x in margin..<box.width - margin {
          let at = lower &+ SIMD3(x, row, plane)
          guard grid.contains(at.x, at.y, at.z) else { continue }
          let voxel = (plane * box.height + row) * box.width + x
          var (first, final) = ((label: 0, value: Float(-1)), (label: 0, value: -Float.infinity))
          for channel in 0..<shape.channels {
            let i = shape.index(channel: channel, voxel: voxel)
            let q = posteriors.pointer[i] + Self.floor
            if q > first.value { first = (channel, q) }
            let value = log(q) + logits.pointer[i]
            if value > final.value { final = (channel, value) }
          }
          body(truth[grid.index(at.x, at.y, at.z)], first.label, final.label)
        }
      }
    }
  }
}

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
