import Foundation
import Imaging
import Parallel

/// Fits a smooth displacement of the location prior to a scan: the likelihood of the intensities minus a
/// penalty on the displacement's gradients and curvature.
///
/// Maximises sum_j log sum_g a_g(q_j + u(q_j)) p(x_j | g) - (stretch |grad u|^2 + bend |laplacian u|^2) / 2
/// by Gauss-Newton steps: the samples' scores give the gradient, their outer products, lumped at the nodes,
/// the curvature, and conjugate gradients solve for the step.
package struct WarpFit: Sendable {
  /// Weight of the squared first differences, per mm3 of lattice, in nats.
  package var stretch: Double
  /// Weight of the squared second differences.
  package var bend: Double
  package var displacement: Displacement

  package init(displacement: Displacement, stretch: Double, bend: Double) {
    self.displacement = displacement
    self.stretch = stretch
    self.bend = bend
  }

  /// Score and curvature at the nodes.
  private struct Moments {
    /// Three a node.
    var gradient: [SIMD4<Double>]
    /// Symmetric 3x3: (xx, yy, zz, 0) and (xy, xz, yz, 0).
    var diagonal: [SIMD4<Double>]
    var mixed: [SIMD4<Double>]
  }

  /// One Gauss-Newton step with a line search.
  ///
  /// - Parameters:
  ///   - base: undisplaced positions, mm along the atlas's axes, three a sample.
  ///   - objective: log-likelihood in nats at displaced positions, and its gradient per mm where asked for.
  ///   - weight: what a sample counts: its volume over that of independent information, both in mm3.
  /// - Returns: the gain of the penalised objective, in nats; 0 when no step improves it.
  package mutating func step(
    base: [Float], weight: Double,
    objective: (_ positions: [Float], _ gradients: inout [Float]?) -> Double
  ) -> Double {
    var gradients: [Float]? = [Float](repeating: 0, count: base.count)
    let before =
      weight * objective(displacement.displaced(base), &gradients) - penalty(displacement.values)
    guard let scores = gradients else { return 0 }
    let moments = moments(scores, base: base, weight: weight)
    let step = solve(moments)
    var length: Float = 1
    for _ in 0..<5 {
      var candidate = displacement
      for i in candidate.values.indices { candidate.values[i] += step[i] * length }
      var none: [Float]? = nil
      let after =
        weight * objective(candidate.displaced(base), &none) - penalty(candidate.values)
      if after > before {
        displacement = candidate
        return after - before
      }
      length /= 2.5
    }
    return 0
  }

  private func moments(_ scores: [Float], base: [Float], weight: Double) -> Moments {
    let count = base.count / 3
    let nodes = displacement.values.count
    let pieces = 8
    let size = (count + pieces - 1) / pieces
    let parts: [[SIMD4<Float>]] = Parallel.map(pieces) { piece in
      // gradient, diagonal and mixed terms of a node lie together.
      var sums = [SIMD4<Float>](repeating: .zero, count: 3 * nodes)
      sums.withUnsafeMutableBufferPointer { sums in
        for j in piece * size..<max(piece * size, min(count, (piece + 1) * size)) {
          let s = SIMD4<Float>(scores[3 * j], scores[3 * j + 1], scores[3 * j + 2], 0)
          if s == .zero { continue }
          let cell = displacement.cell(SIMD3(base[3 * j], base[3 * j + 1], base[3 * j + 2]))
          let squares = s * s
          let mixed = SIMD4<Float>(s.x * s.y, s.x * s.z, s.y * s.z, 0)
          for corner in 0..<8 {
            let wx = corner & 1 == 0 ? 1 - cell.fraction.x : cell.fraction.x
            let wy = corner & 2 == 0 ? 1 - cell.fraction.y : cell.fraction.y
            let wz = corner & 4 == 0 ? 1 - cell.fraction.z : cell.fraction.z
            let w = wx * wy * wz
            let node =
              cell.first + (corner & 1) + (corner & 2 == 0 ? 0 : cell.row)
              + (corner & 4 == 0 ? 0 : cell.slice)
            sums[3 * node] += s * w
            sums[3 * node + 1] += squares * w
            sums[3 * node + 2] += mixed * w
          }
        }
      }
      return sums
    }
    var result = Moments(
      gradient: [SIMD4<Double>](repeating: .zero, count: nodes),
      diagonal: [SIMD4<Double>](repeating: .zero, count: nodes),
      mixed: [SIMD4<Double>](repeating: .zero, count: nodes))
    for part in parts {
      for node in 0..<nodes {
        result.gradient[node] += SIMD4<Double>(part[3 * node]) * weight
        result.diagonal[node] += SIMD4<Double>(part[3 * node + 1]) * weight
        result.mixed[node] += SIMD4<Double>(part[3 * node + 2]) * weight
      }
    }
    return result
  }

  /// Energy of a displacement, nats.
  private func penalty(_ u: [SIMD4<Float>]) -> Double {
    let v = u.map { SIMD4<Double>($0) }
    let force = penaltyGradient(v)
    return zip(v, force).reduce(0) { $0 + 0.5 * ($1.0 * $1.1).sum() }
  }

  /// (stretch L + bend L^2) u, L the lattice's Laplacian with free edges.
  private func penaltyGradient(_ u: [SIMD4<Double>]) -> [SIMD4<Double>] {
    let h = Double(displacement.spacing)
    let first = laplacian(u)
    let second = laplacian(first)
    let (a, b) = (stretch * h, bend / h)
    return zip(first, second).map { a * $0 + b * $1 }
  }

  /// Sum over lattice neighbours of the differences to them.
  private func laplacian(_ u: [SIMD4<Double>]) -> [SIMD4<Double>] {
    let n = displacement.nodes
    var result = [SIMD4<Double>](repeating: .zero, count: u.count)
    result.withUnsafeMutableBufferPointer { buffer in
      u.withUnsafeBufferPointer { source in
        nonisolated(unsafe) let (out, u) = (buffer, source)
        Parallel.forEach(n.z) { z in
          for y in 0..<n.y {
            for x in 0..<n.x {
              let i = (z * n.y + y) * n.x + x
              let c = u[i]
              var sum = SIMD4<Double>.zero
              if x > 0 { sum += c - u[i - 1] }
              if x + 1 < n.x { sum += c - u[i + 1] }
              if y > 0 { sum += c - u[i - n.x] }
              if y + 1 < n.y { sum += c - u[i + n.x] }
              if z > 0 { sum += c - u[i - n.x * n.y] }
              if z + 1 < n.z { sum += c - u[i + n.x * n.y] }
              out[i] = sum
            }
          }
        }
      }
    }
    return result
  }

  /// The Gauss-Newton step: (H + R) d = g - R u by conjugate gradients, preconditioned by the diagonal.
  private func solve(_ m: Moments) -> [SIMD4<Float>] {
    let u = displacement.values.map { SIMD4<Double>($0) }
    let pull = penaltyGradient(u)
    var residual = zip(m.gradient, pull).map { $0 - $1 }
    let h = Double(displacement.spacing)
    let own = 6 * stretch * h + 42 * bend / h + 1e-6
    let inverse = m.diagonal.map { SIMD4(repeating: 1) / ($0 + SIMD4(repeating: own)) }
    var d = [SIMD4<Double>](repeating: .zero, count: u.count)
    var z = zip(residual, inverse).map { $0 * $1 }
    var direction = z
    var energy = zip(residual, z).reduce(0) { $0 + ($1.0 * $1.1).sum() }
    let start = energy
    guard start > 0 else { return d.map { SIMD4<Float>($0) } }
    for _ in 0..<40 {
      var image = penaltyGradient(direction)
      for i in image.indices {
        let v = direction[i]
        let x = m.mixed[i]
        image[i] += m.diagonal[i] * v
        image[i].x += x.x * v.y + x.y * v.z
        image[i].y += x.x * v.x + x.z * v.z
        image[i].z += x.y * v.x + x.z * v.y
      }
      let curvature = zip(direction, image).reduce(0) { $0 + ($1.0 * $1.1).sum() }
      guard curvature > 0 else { break }
      let along = energy / curvature
      for i in d.indices {
        d[i] += along * direction[i]
        residual[i] -= along * image[i]
      }
      z = zip(residual, inverse).map { $0 * $1 }
      let next = zip(residual, z).reduce(0) { $0 + ($1.0 * $1.1).sum() }
      if next < 1e-4 * start { break }
      let turn = next / energy
      for i in direction.indices { direction[i] = z[i] + turn * direction[i] }
      energy = next
    }
    return d.map { SIMD4<Float>($0) }
  }
}
