import Foundation
import Imaging
import Parallel

/// A smooth factor on a scan's intensities, as receive coils leave it: x = exp(b) times what the tissue
/// gives (DESIGN: log(intensity) - b).
///
/// b is linear between the nodes of a coarse lattice over the atlas grid, has mean 0 over the samples it
/// was fitted to, and bends little.
package struct BiasField: Sendable {
  /// b in the first entry of each node.
  private var field: Displacement
  /// Distance of nodes, mm.
  private static let spacing = 16.0
  /// Weight of the squared second differences of b over `detail`^3 (mm3), against (mean / standard deviation)^2 a
  /// sample of 8 mm3.
  private static let stiffness = 0.5

  /// No bias.
  package init(over grid: Grid) { field = Displacement(over: grid, spacing: Self.spacing) }

  /// b at a position, mm along the atlas's axes.
  @inline(__always)
  package func logarithm(at position: SIMD3<Float>) -> Float { field.at(position).x }

  /// Largest factor that the field applies anywhere.
  package var strongest: Float { exp(field.values.map { abs($0.x) }.max() ?? 0) }

  /// Largest difference of b anywhere.
  package func largestChange(from other: BiasField) -> Float {
    zip(field.values, other.field.values).map { abs($0.x - $1.x) }.max() ?? 0
  }

  /// b at many positions, three numbers each.
  func logarithms(_ positions: [Float]) -> [Float] {
    var result = [Float](repeating: 0, count: positions.count / 3)
    let count = result.count
    result.withUnsafeMutableBufferPointer { buffer in
      positions.withUnsafeBufferPointer { positions in
        nonisolated(unsafe) let (out, p) = (buffer, positions)
        Parallel.forEachRange(of: count, size: 1 << 14) { range in
          for j in range { out[j] = logarithm(at: SIMD3(p[3 * j], p[3 * j + 1], p[3 * j + 2])) }
        }
      }
    }
    return result
  }

  /// Fits b to weighted residuals: minimises sum_j w_j (r_j - b(q_j))^2 plus the penalty on bending.
  ///
  /// - Parameters:
  ///   - positions: q, mm along the atlas's axes, three a sample.
  ///   - residuals: r, what is left of log x after the expected tissue.
  ///   - weights: w, (mean / standard deviation)^2 times the probability of a known tissue.
  ///   - volume: of a sample, mm3.
  ///   - detail: how finely the expected tissue is known, mm. The finer, the more b may bend: what has not yet been
  ///     brought to where it lies must not pass for bias.
  mutating func fit(
    positions: [Float], residuals: [Float], weights: [Float], volume: Double, detail: Double
  ) {
    let nodes = field.values.count
    let scale = volume / 8
    let n = field.nodes
    // The lattice is small: its normal equations are kept sparse, 27 neighbours a node, the right side after
    // them.
    let count = residuals.count
    let (pieces, row) = (8, 28)
    let size = (count + pieces - 1) / pieces
    let parts = Parallel.map(pieces) { [field] piece in
      var sums = [Double](repeating: 0, count: nodes * row)
      sums.withUnsafeMutableBufferPointer { sums in
        for j in piece * size..<max(piece * size, min(count, (piece + 1) * size))
        where weights[j] > 0 {
          let cell = field.cell(
            SIMD3(positions[3 * j], positions[3 * j + 1], positions[3 * j + 2]))
          let w = Double(weights[j]) * scale
          let r = Double(residuals[j])
          var corners = SIMD8<Double>.zero
          for i in 0..<8 { corners[i] = Double(cell.weight(i)) }
          for i in 0..<8 {
            let a = w * corners[i]
            // Neighbour 0 of the 27 is the node before this one along each axis.
            let first = cell.node(i) * row + 13 - 9 * (i >> 2) - 3 * (i >> 1 & 1) - (i & 1)
            for k in 0..<8 {
              sums[first + 9 * (k >> 2) + 3 * (k >> 1 & 1) + (k & 1)] += a * corners[k]
            }
            sums[cell.node(i) * row + 27] += a * r
          }
        }
      }
      return sums
    }
    var normal = [Double](repeating: 0, count: nodes * row)
    for part in parts { for i in normal.indices { normal[i] += part[i] } }
    let right = (0..<nodes).map { normal[$0 * row + 27] }
    let stiffness = Self.stiffness * detail * detail * detail
    // Node of each of the 27, less the node itself.
    let offsets = (0..<27).map { k in
      (k / 9 - 1) * n.x * n.y + (k / 3 % 3 - 1) * n.x + k % 3 - 1
    }
    // Most nodes have no sample around them.
    let known = (0..<nodes).filter { normal[$0 * row + 13] > 0 }
    func product(_ v: [Double]) -> [Double] {
      var result = Self.bending(v, n)
      for node in 0..<nodes { result[node] = stiffness * result[node] + Self.restoring * v[node] }
      normal.withUnsafeBufferPointer { normal in
        for node in known {
          var sum = 0.0
          for k in 0..<27 {
            let entry = normal[node * row + k]
            if entry != 0 { sum += entry * v[node + offsets[k]] }
          }
          result[node] += sum
        }
      }
      return result
    }
    let diagonal = (0..<nodes).map {
      normal[$0 * row + 13] + Self.restoring + stiffness * Self.bendingOfOne
    }
    // Conjugate gradients, preconditioned by the diagonal.
    var x = field.values.map { Double($0.x) }
    var residual = zip(right, product(x)).map { $0 - $1 }
    var scaled = zip(residual, diagonal).map { $0 / $1 }
    var direction = scaled
    var energy = zip(residual, scaled).reduce(0) { $0 + $1.0 * $1.1 }
    let target = 1e-8 * zip(right, diagonal).reduce(1e-12) { $0 + $1.0 * $1.0 / $1.1 }
    for _ in 0..<300 where energy > target {
      let image = product(direction)
      let along = energy / zip(direction, image).reduce(0) { $0 + $1.0 * $1.1 }
      for i in x.indices {
        x[i] += along * direction[i]
        residual[i] -= along * image[i]
        scaled[i] = residual[i] / diagonal[i]
      }
      let next = zip(residual, scaled).reduce(0) { $0 + $1.0 * $1.1 }
      for i in direction.indices { direction[i] = scaled[i] + next / energy * direction[i] }
      energy = next
    }
    // The mean of b over all samples is 0. A node's row sums to the weight that lies around it.
    var (sum, total) = (0.0, 0.0)
    for node in 0..<nodes {
      let weight = normal[node * row..<node * row + 27].reduce(0, +)
      sum += weight * x[node]
      total += weight
    }
    let mean = total > 0 ? sum / total : 0
    for i in x.indices { field.values[i].x = Float(max(-1.5, min(1.5, x[i] - mean))) }
  }

  /// Pull of every node towards 0, so that those without samples and bending have a value.
  private static let restoring = 1e-3
  /// What `bending` makes of a node inside whose neighbours are 0.
  private static let bendingOfOne = 18.0

  /// The second difference along each axis, twice, with free edges.
  private static func bending(_ v: [Double], _ n: SIMD3<Int>) -> [Double] {
    var result = [Double](repeating: 0, count: v.count)
    let strides = [1, n.x, n.x * n.y]
    let sizes = [n.x, n.y, n.z]
    // Sum over axes of D'D, D the second difference at inner nodes: the biharmonic operator less its mixed terms.
    for axis in 0..<3 where sizes[axis] > 2 {
      let s = strides[axis]
      for block in stride(from: 0, to: v.count, by: s * sizes[axis]) {
        for i in block + s..<block + s * (sizes[axis] - 1) {
          let second = v[i - s] - 2 * v[i] + v[i + s]
          result[i - s] += second
          result[i] -= 2 * second
          result[i + s] += second
        }
      }
    }
    return result
  }
}
