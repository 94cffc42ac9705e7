import Foundation
import Imaging
import Parallel

/// Random labels that neighbours share: draws from the label prior of an anatomy.
///
/// A label is drawn at every voxel by adding Gumbel noise to the logarithms of the probabilities and taking
/// the largest (Gumbel and Maddala's trick), so that each label is found with its probability, and volumes
/// are right on average; the most probable label alone loses what is small and uncertain everywhere. The noise is
/// smooth, one field for each label: normal values on a lattice, interpolated, scaled to variance 1 and turned
/// into Gumbel's distribution.
struct LabelNoise {
  /// Millimetres between lattice nodes.
  private static let spacing = 4.0
  /// Probability below which a label is not drawn.
  private static let least: Float = 1e-4

  private let labels: Int
  private let extents: SIMD3<Int>
  private let nodes: SIMD3<Int>
  /// Voxels per lattice step.
  private let step: SIMD3<Float>
  /// Label by label for each node, x fastest.
  private let values: [Float]

  init(over grid: Grid, labels: Int, seed: UInt64, number: UInt64) {
    self.labels = labels
    extents = grid.extents
    step = SIMD3<Float>(SIMD3(repeating: Self.spacing) / grid.spacing)
    var nodes = SIMD3(repeating: 0)
    for axis in 0..<3 { nodes[axis] = Int((Float(extents[axis]) / step[axis]).rounded(.up)) + 2 }
    self.nodes = nodes
    let random = CounterRandom(seed: seed, .labels, number: number)
    let count = nodes.x * nodes.y * nodes.z * labels
    var values = [Float](repeating: 0, count: count)
    values.withUnsafeMutableBufferPointer { buffer in
      nonisolated(unsafe) let out = buffer
      Parallel.forEachRange(of: (count + 1) / 2, size: 1 << 15) { range in
        for pair in range {
          let (first, second) = random.normals(pair)
          out[2 * pair] = Float(first)
          if 2 * pair + 1 < count { out[2 * pair + 1] = Float(second) }
        }
      }
    }
    self.values = values
  }

  /// Labels of a plane along z from its probabilities `[ny, nx, padded K]`.
  func draw(plane z: Int, _ probabilities: UnsafeBufferPointer<Float>) -> [UInt8] {
    var result = [UInt8](repeating: 0, count: extents.x * extents.y)
    let padded = probabilities.count / result.count
    values.withUnsafeBufferPointer { values in
      for y in 0..<extents.y {
        for x in 0..<extents.x {
          let voxel = y * extents.x + x
          let own = probabilities[voxel * padded..<voxel * padded + labels]
          result[voxel] = draw(
            UnsafeBufferPointer(rebasing: own), values, at: SIMD3(Float(x), Float(y), Float(z)))
        }
      }
    }
    return result
  }

  /// Where a voxel lies between the nodes.
  private struct Corner {
    var offsets = SIMD8<Int32>()
    var weights = SIMD8<Float>()

    @inline(__always)
    init(_ noise: LabelNoise, _ voxel: SIMD3<Float>) {
      let at = voxel / noise.step
      let cell = at.rounded(.down)
      let f = at - cell
      let (row, slice) = (noise.nodes.x, noise.nodes.x * noise.nodes.y)
      let first = Int(cell.z) * slice + Int(cell.y) * row + Int(cell.x)
      for corner in 0..<8 {
        let (i, j, k) = (corner & 1, corner >> 1 & 1, corner >> 2)
        offsets[corner] = Int32((first + i + j * row + k * slice) * noise.labels)
        weights[corner] =
          (i == 1 ? f.x : 1 - f.x) * (j == 1 ? f.y : 1 - f.y) * (k == 1 ? f.z : 1 - f.z)
      }
      weights /= (weights * weights).sum().squareRoot()
    }
  }

  @inline(__always)
  private func draw(
    _ probabilities: UnsafeBufferPointer<Float>, _ values: UnsafeBufferPointer<Float>,
    at voxel: SIMD3<Float>
  ) -> UInt8 {
    for label in 0..<labels where probabilities[label] > 1 - Self.least { return UInt8(label) }
    let corner = Corner(self, voxel)
    var (best, most) = (0, -Float.infinity)
    for label in 0..<labels where probabilities[label] > Self.least {
      var normal: Float = 0
      for i in 0..<8 { normal += corner.weights[i] * values[Int(corner.offsets[i]) + label] }
      let uniform = min(max(0.5 * erfc(-normal * Float(0.5).squareRoot()), 1e-7), 1 - 1e-7)
      let score = log(probabilities[label]) - log(-log(uniform))
      if score > most { (best, most) = (label, score) }
    }
    return UInt8(best)
  }
}
