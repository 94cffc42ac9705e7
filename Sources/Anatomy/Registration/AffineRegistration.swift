import COpenBLAS
import Foundation
import Imaging
import Networks
import Parallel

/// Where a scan lies in the atlas: an affine found by the likelihood of the intensities alone.
///
/// The objective is the exact form, sum over a fixed set of the scan's voxels of
/// log sum_g a_g(T x) p(x | g), with p estimated from the scan itself at every step, so no contrast is
/// assumed (Viola and Wells' mutual information is the same quantity up to the estimator of p).
package struct AffineRegistration: Sendable {
  /// Scan world mm to atlas world mm.
  package var transform: Affine
  /// Intensities as last estimated.
  package var table: LikelihoodTable
  /// Mean log-likelihood of a sample, in nats.
  package var score: Double
  /// What is known of the intensities beforehand.
  let kind: KindPrior?

  /// The parameters that a fit may change.
  package enum Freedom: Sendable {
    /// Translation and rotation.
    case rigid
    /// And one scale.
    case similarity
    /// All twelve.
    case affine

    /// Columns: directions in the space of (translation, linear part by rows), 12 numbers each.
    var basis: [[Double]] {
      var columns: [[Double]] = []
      func add(_ entries: [Int: Double]) {
        columns.append((0..<12).map { entries[$0] ?? 0 })
      }
      for axis in 0..<3 { add([axis: 1]) }
      switch self {
      case .rigid, .similarity:
        add([3 + 1: 1, 3 + 3: -1])
        add([3 + 2: 1, 3 + 6: -1])
        add([3 + 5: 1, 3 + 7: -1])
        if self == .similarity { add([3: 1, 3 + 4: 1, 3 + 8: 1]) }
      case .affine:
        for entry in 3..<12 { add([entry: 1]) }
      }
      return columns
    }
  }

  /// Estimates p(x | g) from scratch for a given transform: posteriors start as the prior.
  package init(
    _ transform: Affine, samples: ScanSamples, prior: GroupPrior, kind: KindPrior? = nil,
    rounds: Int = 2
  ) {
    self.transform = transform
    self.kind = kind
    table = LikelihoodTable(groups: prior.groups, lanes: prior.lanes)
    score = -.infinity
    let positions = samples.positions(prior.positionOfWorld * transform)
    for _ in 0..<rounds { estimate(positions, samples, prior) }
    var none: [Float]? = nil
    score =
      prior.logLikelihood(
        positions: positions, rows: samples.rows, table: table, gradients: &none)
      / Double(max(1, samples.count))
  }

  private mutating func estimate(
    _ positions: [Float], _ samples: ScanSamples, _ prior: GroupPrior
  ) {
    let (counts, sum) = prior.histogram(positions: positions, rows: samples.rows, table: table)
    score = sum / Double(max(1, samples.count))
    table = LikelihoodTable(
      histogram: kind?.added(to: counts) ?? counts, groups: prior.groups,
      smoothing: Self.smoothing)
  }

  /// Width of the window on intensities, in rows of the table.
  private static let smoothing = 8.0

  /// Climbs to the nearest maximum: Levenberg-Marquardt steps with the outer products of the samples'
  /// scores as curvature (Berndt, Hall, Hall and Hausman), intensities estimated anew after each.
  package mutating func refine(
    samples: ScanSamples, prior: GroupPrior, freedom: Freedom, iterations: Int
  ) {
    let basis = freedom.basis
    let centre = prior.grid.centre
    var damping = 1e-2
    let position = prior.positionOfWorld
    var positions = samples.positions(position * transform)
    for iteration in 0..<iterations {
      if iteration > 0 { estimate(positions, samples, prior) }
      var gradients: [Float]? = [Float](repeating: 0, count: 3 * samples.count)
      let before = prior.logLikelihood(
        positions: positions, rows: samples.rows, table: table, gradients: &gradients)
      guard let scores = gradients else { return }
      let moments = ScoreMoments(
        scores, positions, position: position, centre: centre, radius: Self.radius)
      let (gradient, curvature) = (moments.gradient, moments.curvature)
      var improved = false
      for _ in 0..<4 {
        guard
          let step = Self.solve(
            gradient, curvature, basis: basis, damping: damping,
            stiffness: Self.stiffness * Double(samples.count))
        else { return }
        // y -> y + t + L (y - c) / radius, in atlas mm.
        let l = step[3...].map { $0 / Self.radius }
        let linear = Affine(
          columns: (
            SIMD3(1 + l[0], l[3], l[6]), SIMD3(l[1], 1 + l[4], l[7]), SIMD3(l[2], l[5], 1 + l[8])
          ), translation: .zero)
        let change = Affine(
          columns: linear.columns,
          translation: centre - linear.linear(centre) + SIMD3(step[0], step[1], step[2]))
        let candidate = change * transform
        let candidatePositions = samples.positions(position * candidate)
        var none: [Float]? = nil
        let after = prior.logLikelihood(
          positions: candidatePositions, rows: samples.rows, table: table, gradients: &none)
        if after > before, Self.isPlausible(candidate) {
          transform = candidate
          positions = candidatePositions
          score = after / Double(samples.count)
          damping = max(1e-4, damping / 4)
          improved = after - before > 1e-5 * Double(samples.count)
          break
        }
        damping *= 8
      }
      if !improved { break }
    }
  }

  /// Scales between 0.6 and 1.7 and no mirroring: what a body part of any person asks for.
  static func isPlausible(_ transform: Affine) -> Bool {
    let n = transform.columnNorms
    let d = transform.determinant
    return d > 0.3 && d < 4 && n.min() > 0.6 && n.max() < 1.7
      && d > 0.6 * n.x * n.y * n.z
  }

  /// Unit of the linear part, in mm: so far from the centre its steps are as long as the translation's.
  private static let radius = 60.0
  /// Pull of each step towards none, against each sample's information: keeps directions that the samples
  /// do not determine where they are.
  private static let stiffness = 1e-5

  /// The damped step in the 12 parameters, within the span of the basis.
  private static func solve(
    _ gradient: [Double], _ curvature: [Double], basis: [[Double]], damping: Double,
    stiffness: Double
  ) -> [Double]? {
    let m = basis.count
    var normal = [Double](repeating: 0, count: m * m)
    var right = [Double](repeating: 0, count: m)
    for a in 0..<m {
      for i in 0..<12 where basis[a][i] != 0 {
        right[a] += basis[a][i] * gradient[i]
        for b in 0..<m {
          for j in 0..<12 where basis[b][j] != 0 {
            normal[a * m + b] += basis[a][i] * curvature[12 * i + j] * basis[b][j]
          }
        }
      }
    }
    for a in 0..<m { normal[a * m + a] = normal[a * m + a] * (1 + damping) + stiffness }
    _ = OpenBLAS.onOneThread
    var (order, one, info) = (Int32(m), Int32(1), Int32(0))
    dposv_("U", &order, &one, &normal, &order, &right, &order, &info)
    guard info == 0, right.allSatisfy(\.isFinite) else { return nil }
    return (0..<12).map { i in (0..<m).reduce(0) { $0 + basis[$1][i] * right[$1] } }
  }
}
