import CKernels
import Foundation
import Imaging
import Networks
import Parallel

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
