import Parallel

/// The normal equations that a `BiasField` is fitted by, one a node of its lattice: weighted residuals on the one side,
/// the penalty on bending on the other.
///
/// The lattice is small: they are kept sparse, 27 neighbours a node, the right side after them.
struct BiasEquations {
  private let nodes: SIMD3<Int>
  /// `[nodes][28]`: what the samples around a node and each of its neighbours add, and the right side.
  private let entries: [Double]
  /// Nodes with samples around them: most have none.
  private let known: [Int]
  private let stiffness: Double

  private static let row = 28
  /// Place of the node itself among the 27.
  private static let own = 13
  /// Place of the right side.
  private static let right = 27
  /// Pull of every node towards 0, so that those without samples and bending have a value.
  private static let restoring = 1e-3
  /// What `bending` makes of a node inside whose neighbours are 0.
  private static let bendingOfOne = 18.0
  /// Parts that samples are summed in.
  private static let pieces = 8
  private static let mostSteps = 300
  /// Share of the right side's energy at which the steps end.
  private static let tolerance = 1e-8

  /// As `BiasField.fit` has them; `scale` is what weights are multiplied by.
  init(
    over field: Displacement, positions: [Float], residuals: [Float], weights: [Float],
    scale: Double, stiffness: Double
  ) {
    let parts = Self.parts(
      field, positions: positions, residuals: residuals, weights: weights, scale: scale)
    var entries = [Double](repeating: 0, count: field.values.count * Self.row)
    for part in parts { for i in entries.indices { entries[i] += part[i] } }
    nodes = field.nodes
    known = field.values.indices.filter { entries[$0 * Self.row + Self.own] > 0 }
    self.entries = entries
    self.stiffness = stiffness
  }

  /// What each of some parts of the samples adds to the entries.
  private static func parts(
    _ field: Displacement, positions: [Float], residuals: [Float], weights: [Float], scale: Double
  ) -> [[Double]] {
    let count = residuals.count
    let size = (count + pieces - 1) / pieces
    return Parallel.map(pieces) { piece in
      var sums = [Double](repeating: 0, count: field.values.count * row)
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
            let first = cell.node(i) * row + own - 9 * (i >> 2) - 3 * (i >> 1 & 1) - (i & 1)
            for k in 0..<8 {
              sums[first + 9 * (k >> 2) + 3 * (k >> 1 & 1) + (k & 1)] += a * corners[k]
            }
            sums[cell.node(i) * row + right] += a * r
          }
        }
      }
      return sums
    }
  }

  /// The solution, by conjugate gradients that are preconditioned by the diagonal.
  func solved(from start: [Double]) -> [Double] {
    var x = start
    let right = x.indices.map { entries[$0 * Self.row + Self.right] }
    let diagonal = x.indices.map {
      entries[$0 * Self.row + Self.own] + Self.restoring + stiffness * Self.bendingOfOne
    }
    var residual = zip(right, product(x)).map { $0 - $1 }
    var scaled = zip(residual, diagonal).map { $0 / $1 }
    var direction = scaled
    var energy = zip(residual, scaled).reduce(0) { $0 + $1.0 * $1.1 }
    let target =
      Self.tolerance * zip(right, diagonal).reduce(1e-12) { $0 + $1.0 * $1.0 / $1.1 }
    for _ in 0..<Self.mostSteps where energy > target {
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
    return x
  }

  /// The left side at v.
  private func product(_ v: [Double]) -> [Double] {
    // Node of each of the 27, less the node itself.
    let offsets = (0..<27).map { k in
      (k / 9 - 1) * nodes.x * nodes.y + (k / 3 % 3 - 1) * nodes.x + k % 3 - 1
    }
    var result = Self.bending(v, nodes)
    for node in v.indices { result[node] = stiffness * result[node] + Self.restoring * v[node] }
    entries.withUnsafeBufferPointer { entries in
      for node in known {
        var sum = 0.0
        for k in 0..<27 {
          let entry = entries[node * Self.row + k]
          if entry != 0 { sum += entry * v[node + offsets[k]] }
        }
        result[node] += sum
      }
    }
    return result
  }

  /// The mean over all samples of what the nodes have: a node's row sums to the weight that lies around it.
  func mean(of x: [Double]) -> Double {
    var (sum, total) = (0.0, 0.0)
    for node in x.indices {
      let weight = entries[node * Self.row..<node * Self.row + 27].reduce(0, +)
      sum += weight * x[node]
      total += weight
    }
    return total > 0 ? sum / total : 0
  }

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
