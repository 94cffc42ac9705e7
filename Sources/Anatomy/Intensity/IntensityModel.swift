import Foundation

/// Intensities of each tissue group: a mixture of Gaussians, a point mass at exactly zero (padding and
/// stripped tissue), and a small uniform share for what no Gaussian explains.
///
/// Estimated by expectation maximisation on one scan (DESIGN: p(x_j | s_j = k) = N(x_j; mu_k, sigma_k^2),
/// shared within a group), from posteriors summed by intensity row.
package struct IntensityModel: Sendable {
  package struct Component: Equatable, Sendable {
    package var weight: Double
    /// In the scan's intensity units.
    package var mean: Double
    package var variance: Double
  }

  package private(set) var scale: IntensityScale
  /// For each group, its Gaussians; weights sum to 1.
  package private(set) var groups: [[Component]]
  /// For each group, the share of its voxels that are exactly zero.
  package private(set) var zeroShare: [Double]
  /// Where each group's mean was first found, and the variance of that: the prior on its mean.
  private var anchors: [Component]
  let lanes: Int

  /// Share of a group's voxels that no Gaussian explains.
  static let outliers = 0.01
  /// Smallest standard deviation, as a share of the range of intensities.
  static let leastDeviation = 0.012
  /// How many of a group's own voxels its anchor is worth: this share of them, and this number.
  static let anchorShare = 0.3
  static let anchorCount = 20.0

  /// Gaussians of a group: more where it is but the surroundings of the structures of interest.
  static func components(isKnown: Bool) -> Int { isKnown ? 2 : 3 }

  /// First estimate, from summed posteriors; `components` has the number of Gaussians of each group.
  package init(histogram: GroupHistogram, components: [Int], scale: IntensityScale) {
    self.scale = scale
    lanes = histogram.lanes
    let none = Component(weight: 1, mean: 0, variance: 1)
    groups = components.map { [Component](repeating: none, count: $0) }
    anchors = components.map { _ in none }
    zeroShare = [Double](repeating: 0.01, count: components.count)
    start(components.indices, histogram: histogram)
  }

  /// A model that is known.
  init(groups: [[Component]], zeroShare: [Double], scale: IntensityScale, lanes: Int) {
    self.groups = groups
    self.zeroShare = zeroShare
    self.scale = scale
    self.lanes = lanes
    anchors = groups.map { $0[0] }
  }

  /// Forgets what was estimated of some groups, takes them from the histogram alone, and goes on with all.
  package mutating func start(_ groups: some Sequence<Int>, histogram: GroupHistogram) {
    for group in groups {
      let (median, spread) = Self.robustMoments(histogram, group: group, scale: scale)
      anchors[group] = Component(weight: 1, mean: median, variance: spread * spread)
      // Means around the median, apart by three standard deviations over their number.
      let count = self.groups[group].count
      self.groups[group] = (0..<count).map { i in
        let offset = count == 1 ? 0 : Double(2 * i - count + 1) / Double(count)
        return Component(
          weight: 1 / Double(count), mean: median + 1.5 * offset * spread,
          variance: spread * spread / Double(count))
      }
    }
    update(histogram: histogram, rounds: 10)
  }

  /// Median of a group's intensities other than zero, and the standard deviation of a Gaussian with their quartiles.
  private static func robustMoments(
    _ histogram: GroupHistogram, group: Int, scale: IntensityScale
  ) -> (median: Double, spread: Double) {
    guard let rows = histogram.quantiles([0.25, 0.5, 0.75], of: [group]) else {
      return (Double(scale.low + scale.high) / 2, Double(scale.high - scale.low) / 2)
    }
    let quartiles = rows.map { Double(scale.intensity($0)) }
    let least = leastDeviation * Double(scale.high - scale.low)
    return (quartiles[1], max(least, (quartiles[2] - quartiles[0]) / 1.349))
  }

  /// Expectation maximisation of each group's mixture on its summed posteriors, `rounds` times.
  package mutating func update(histogram: GroupHistogram, rounds: Int = 3) {
    for group in groups.indices {
      let nonZero = histogram.sum(of: group)
      let zero = histogram[Int(IntensityScale.zero), group]
      zeroShare[group] = min(0.9999, max(1e-4, (zero + 0.01) / (zero + nonZero + 1)))
      guard nonZero > 0 else { continue }
      // The anchor counts as voxels spread as it says.
      let anchor = anchors[group]
      let pull = Self.anchorCount + Self.anchorShare * nonZero
      let masses = GroupHistogram.intensities.map { row in
        histogram[row, group]
          + pull * Double(scale.width) * Self.density(anchor, Double(scale.intensity(row)))
      }
      for _ in 0..<rounds { Self.fit(&groups[group], to: masses, scale: scale) }
    }
  }

  /// A round of expectation maximisation of a mixture, on counts of intensities other than zero by row.
  private static func fit(
    _ mixture: inout [Component], to masses: [Double], scale: IntensityScale
  ) {
    let range = Double(scale.high - scale.low)
    let leastVariance = pow(leastDeviation * range, 2)
    var sums = [SIMD3<Double>](repeating: .zero, count: mixture.count)
    for (row, mass) in zip(GroupHistogram.intensities, masses) where mass > 1e-9 {
      let x = Double(scale.intensity(row))
      var densities = mixture.map { density($0, x) }
      let total = densities.reduce(outliers / range, +)
      for i in densities.indices {
        densities[i] *= mass / total
        sums[i] += SIMD3(densities[i], densities[i] * x, densities[i] * x * x)
      }
    }
    let all = sums.reduce(0) { $0 + $1.x }
    for i in mixture.indices where sums[i].x > 1e-6 {
      let mean = sums[i].y / sums[i].x
      mixture[i].mean = mean
      mixture[i].variance = max(leastVariance, sums[i].z / sums[i].x - mean * mean)
      mixture[i].weight = (sums[i].x + 1) / (all + Double(mixture.count))
    }
  }

  /// Where two Gaussians that describe a group's intensities meet, if they are apart: their means, and where
  /// their densities are equal. Nil where they overlap as much as those of one tissue do.
  static func gap(
    in group: Int, of histogram: GroupHistogram, scale: IntensityScale
  ) -> (at: Double, means: (low: Double, high: Double))? {
    guard let ends = histogram.quantiles([0.1, 0.9], of: [group]) else { return nil }
    let (low, high) = (Double(scale.intensity(ends[0])), Double(scale.intensity(ends[1])))
    let masses = GroupHistogram.intensities.map { histogram[$0, group] }
    let least = leastDeviation * Double(scale.high - scale.low)
    let variance = pow(max(least, (high - low) / 4), 2)
    var pair = [low, high].map { Component(weight: 0.5, mean: $0, variance: variance) }
    for _ in 0..<gapRounds { fit(&pair, to: masses, scale: scale) }
    let (a, b) = pair[0].mean < pair[1].mean ? (pair[0], pair[1]) : (pair[1], pair[0])
    guard b.mean - a.mean > apart * (a.variance.squareRoot() + b.variance.squareRoot()) else {
      return nil
    }
    var (from, to) = (a.mean, b.mean)
    for _ in 0..<40 {
      let middle = (from + to) / 2
      if density(a, middle) > density(b, middle) { from = middle } else { to = middle }
    }
    return (from, (a.mean, b.mean))
  }

  /// Rounds by which the two are found.
  private static let gapRounds = 20
  /// Sums of standard deviations by which the means of two tissues differ at least.
  private static let apart = 1.2

  /// A Gaussian's part in the density of its mixture.
  static func density(_ c: Component, _ x: Double) -> Double {
    let d = x - c.mean
    return c.weight * exp(-0.5 * d * d / c.variance) / (2 * Double.pi * c.variance).squareRoot()
  }

  /// p(x | group) for an intensity other than zero, per intensity unit.
  package func density(group: Int, _ x: Double) -> Double {
    let gaussians = groups[group].reduce(0) { $0 + Self.density($1, x) }
    let range = Double(scale.high - scale.low)
    return (1 - zeroShare[group])
      * ((1 - Self.outliers) * gaussians + Self.outliers / range)
  }

  /// The same where a tissue's mean is taken to vary from place to place, by as much as the middle one of
  /// all tissues varies within: neighbouring voxels err together, and small differences of tissues tell
  /// little about where they lie.
  package func varyingByPlace() -> IntensityModel {
    let variances = groups.indices.map { moments(of: $0).variance }.sorted()
    var result = self
    for group in groups.indices {
      for i in groups[group].indices {
        result.groups[group][i].variance += variances[variances.count / 2]
      }
    }
    return result
  }

  /// The same of intensities to which something has been added.
  func shifted(by shift: Float) -> IntensityModel {
    var result = self
    result.scale = scale.shifted(by: shift)
    for group in groups.indices {
      for i in groups[group].indices { result.groups[group][i].mean += Double(shift) }
      result.anchors[group].mean += Double(shift)
    }
    return result
  }

  /// The likelihood of every row.
  package func table() -> LikelihoodTable {
    LikelihoodTable(groups: groups.count, lanes: lanes) { row, group in
      if row == Int(IntensityScale.zero) { return Float(zeroShare[group]) }
      return Float(density(group: group, Double(scale.intensity(row))) * Double(scale.width))
    }
  }

  /// Mean and variance of a group's intensities other than zero, over its Gaussians.
  package func moments(of group: Int) -> (mean: Double, variance: Double) {
    let mean = groups[group].reduce(0) { $0 + $1.weight * $1.mean }
    let second = groups[group].reduce(0) { $0 + $1.weight * ($1.variance + $1.mean * $1.mean) }
    return (mean, second - mean * mean)
  }
}
