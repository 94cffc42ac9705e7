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
  /// Largest size of b: a factor of 4.5.
  private static let most = 1.5

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
    let equations = BiasEquations(
      over: field, positions: positions, residuals: residuals, weights: weights,
      scale: volume / 8, stiffness: Self.stiffness * detail * detail * detail)
    let b = equations.solved(from: field.values.map { Double($0.x) })
    // The mean of b over all samples is 0.
    let mean = equations.mean(of: b)
    for i in b.indices {
      field.values[i].x = Float(max(-Self.most, min(Self.most, b[i] - mean)))
    }
  }
}
