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
    /// One a node: (x, y, z, 0).
    var gradient: [SIMD4<Float>]
    /// Symmetric 3x3: (xx, yy, zz, 0) and (xy, xz, yz, 0).
    var diagonal: [SIMD4<Float>]
    var mixed: [SIMD4<Float>]
  }

  /// Gauss-Newton steps with a line search, `most` of them, or until one gains no more than `least` nats. Samples lie at
  /// `base` (mm along the atlas's axes, three a sample) where nothing is displaced.
  ///
  /// `objective` gives the log-likelihood in nats under a displacement, and its gradient per mm of each sample's position
  /// where asked for; `weight` is what a sample counts: its volume over that of independent information. The result is
  /// the gain of the penalised objective, in nats, or 0 when no step improves it.
  package mutating func climb(
    most: Int, least: Double = 0, base: [Float], weight: Double,
    objective: (_ displacement: Displacement, _ gradients: inout [Float]?) -> Double
  ) -> Double {
    func seen(_ displacement: Displacement, gradient isAsked: Bool) -> Seen {
      var scores = isAsked ? [Float](repeating: 0, count: base.count) : nil
      let likelihood = objective(displacement, &scores)
      return Seen(value: weight * likelihood - penalty(displacement.values), scores: scores)
    }
    var here = seen(displacement, gradient: true)
    var gain = 0.0
    for number in 1...most {
      guard let scores = here.scores else { break }
      let step = solve(moments(scores, base: base, weight: weight))
      let before = here.value
      var length: Float = 1
      for _ in 0..<5 {
        var candidate = displacement
        for i in candidate.values.indices { candidate.values[i] += step[i] * length }
        // The next step starts where this one ends.
        let there = seen(candidate, gradient: number < most)
        if there.value > before {
          (displacement, here) = (candidate, there)
          break
        }
        length /= 2.5
      }
      gain += here.value - before
      if here.value - before <= least { break }
    }
    return gain
  }

  /// The penalised objective under a displacement, and the scores of the samples there, if they are needed.
  private struct Seen {
    let value: Double
    let scores: [Float]?
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
            let (node, w) = (cell.node(corner), cell.weight(corner))
            sums[3 * node] += s * w
            sums[3 * node + 1] += squares * w
            sums[3 * node + 2] += mixed * w
          }
        }
      }
      return sums
    }
    let factor = Float(weight)
    func summed(_ term: Int) -> [SIMD4<Float>] {
      (0..<nodes).map { node in
        parts.reduce(SIMD4<Float>.zero) { $0 + $1[3 * node + term] } * factor
      }
    }
    return Moments(gradient: summed(0), diagonal: summed(1), mixed: summed(2))
  }

  /// Energy of the displacement, nats.
  package var penalty: Double { penalty(displacement.values) }

  /// Energy of a displacement, nats.
  private func penalty(_ u: [SIMD4<Float>]) -> Double {
    let lattice = Lattice(displacement.nodes)
    return 0.5 * lattice.dot(u, lattice.stiffness(u, stretchWeight, bendWeight))
  }

  /// Weights of the squared differences between neighbouring nodes, and of those of their differences.
  private var stretchWeight: Float { Float(stretch) * displacement.spacing }
  private var bendWeight: Float { Float(bend) / displacement.spacing }

  /// The Gauss-Newton step: (H + R) d = g - R u by conjugate gradients, preconditioned by the diagonal.
  private func solve(_ m: Moments) -> [SIMD4<Float>] {
    let lattice = Lattice(displacement.nodes)
    let (a, b) = (stretchWeight, bendWeight)
    let pull = lattice.stiffness(displacement.values, a, b)
    let count = pull.count
    let own = SIMD4<Float>(repeating: 6 * a + 42 * b + 1e-6)
    var residual = [SIMD4<Float>](repeating: .zero, count: count)
    var inverse = residual
    for i in 0..<count {
      residual[i] = m.gradient[i] - pull[i]
      inverse[i] = SIMD4(repeating: 1) / (m.diagonal[i] + own)
    }
    var step = [SIMD4<Float>](repeating: .zero, count: count)
    var scaled = residual
    lattice.multiply(&scaled, inverse, residual)
    var direction = scaled
    var energy = lattice.dot(residual, scaled)
    // An inexact step suffices: the next one starts from a better place.
    let enough = 1e-3 * energy
    for _ in 0..<30 where energy > enough {
      var image = lattice.stiffness(direction, a, b)
      lattice.addBlocks(&image, diagonal: m.diagonal, mixed: m.mixed, direction)
      let curvature = lattice.dot(direction, image)
      guard curvature > 0 else { break }
      let along = Float(energy / curvature)
      lattice.combine(&step, keep: 1, along, direction)
      lattice.combine(&residual, keep: 1, -along, image)
      lattice.multiply(&scaled, inverse, residual)
      let next = lattice.dot(residual, scaled)
      lattice.combine(&direction, keep: Float(next / energy), 1, scaled)
      energy = next
    }
    return step
  }
}
