import Foundation

extension IntensityModel {
  /// Tables by which a sample's expected weight and weighted residual for the bias field follow from the
  /// same interpolation as its likelihood.
  ///
  /// With r_c = log(x / mean_c) and w_c = mean_c^2 / variance_c, the tables hold p(x | g) E_c[w_c] and
  /// p(x | g) E_c[w_c (r_c + 2)], the expectation over the Gaussians of the group; r_c is clipped to -1...1.
  /// Groups that `isKnown` denies have no weight. Zeros and missing voxels, of which every table says the same, are to be
  /// left out.
  func biasTables(isKnown: [Bool]) -> (weight: LikelihoodTable, residual: LikelihoodTable) {
    func moment(_ row: Int, _ group: Int, shifted: Bool) -> Float {
      guard isKnown[group], row > 0, row < IntensityScale.rows - 1 else { return 0 }
      let x = Double(scale.intensity(row))
      guard x > 0 else { return 0 }
      var sum = 0.0
      for c in groups[group] where c.mean > 0 {
        let r = max(-1, min(1, log(x / c.mean)))
        let w = c.mean * c.mean / c.variance
        sum += Self.density(c, x) * w * (shifted ? r + 2 : 1)
      }
      return Float((1 - zeroShare[group]) * (1 - Self.outliers) * sum * Double(scale.width))
    }
    return (
      LikelihoodTable(groups: groups.count, lanes: lanes) { moment($0, $1, shifted: false) },
      LikelihoodTable(groups: groups.count, lanes: lanes) { moment($0, $1, shifted: true) }
    )
  }
}
