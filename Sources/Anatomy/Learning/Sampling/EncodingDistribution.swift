import COpenBLAS
import Foundation
import Networks

/// The distribution that encodings of label maps follow together: a mean, a few directions in which they
/// vary, where each encoding lies along these, and what is left, independent in each dimension.
///
///     z = mean + sum over r of (c a_ir + (1 - c^2)^(1/2) e_r) factor_r + deviation b
///
/// with i any of the encodings of unvaried maps, a_ir its coefficients, c the `closeness`, and e_r and b from N(0, 1): a
/// mixture of Gaussians around the encodings, with the encodings' own mean and covariance. A single Gaussian
/// has these, too, but in so many dimensions its draws are far from every encoding, and the decoder makes
/// no sound anatomy of most. N(0, I), which the encodings are drawn towards, knows nothing of how dimensions
/// go together.
package struct EncodingDistribution: Sendable, Equatable {
  package let mean: [Float]
  /// `[R, d]`.
  package let factors: [Float]
  /// a: `[n, R]` for n encodings that draws start from, none for a single Gaussian.
  package let coefficients: [Float]
  /// Standard deviation of what is left, `[d]`.
  package let deviations: [Float]

  /// c: how close a draw keeps to the encoding it starts from, 0...1.
  package static let closeness: Float = 0.95

  package init(mean: [Float], factors: [Float], coefficients: [Float], deviations: [Float]) {
    let directions = factors.count / max(1, mean.count)
    precondition(
      coefficients.isEmpty || directions > 0 && coefficients.count % directions == 0,
      "\(coefficients.count) coefficients of \(directions) factors")
    precondition(
      deviations.count == mean.count && factors.count % mean.count == 0,
      "\(deviations.count) deviations and \(factors.count) factors for \(mean.count) dimensions")
    self.mean = mean
    self.factors = factors
    self.coefficients = coefficients
    self.deviations = deviations
  }

  /// Fits the moments of `latents`, of which draws start from those at `centres`: at most `most` principal directions of their means; the rest of
  /// their spread and their own variances become deviations.
  package init(of latents: [GaussianLatent], centres: [Int], most: Int) {
    let (n, d) = (latents.count, latents.first?.mean.count ?? 0)
    precondition(n > 1, "\(n) encodings are too few")
    var mean = [Double](repeating: 0, count: d)
    for latent in latents { for i in 0..<d { mean[i] += Double(latent.mean[i]) / Double(n) } }
    let centred = latents.map { latent in (0..<d).map { Double(latent.mean[$0]) - mean[$0] } }
    // Directions of the few encodings' spread, from the small matrix of their products.
    var products = [Double](repeating: 0, count: n * n)
    let flat = centred.flatMap { $0 }
    OpenBLAS.onOneThread
    cblas_dgemm(
      CblasRowMajor, CblasNoTrans, CblasTrans, blasint(n), blasint(n), blasint(d),
      1 / Double(n - 1), flat, blasint(d), flat, blasint(d), 0, &products, blasint(n))
    let (values, vectors) = SymmetricEigen.decompose(products, size: n)
    let kept = min(most, n - 1)
    var factors = [Float](repeating: 0, count: kept * d)
    var coefficients = [Float](repeating: 0, count: centres.count * kept)
    var explained = [Double](repeating: 0, count: d)
    for r in 0..<kept where values[r] > 1e-12 {
      // With v the unit vector of the products, centred^T v / sqrt(n - 1) has length sqrt(value).
      for sample in 0..<n {
        let weight = vectors[r][sample] / Double(n - 1).squareRoot()
        for i in 0..<d { factors[r * d + i] += Float(weight * centred[sample][i]) }
      }
      for (place, sample) in centres.enumerated() {
        coefficients[place * kept + r] = Float(vectors[r][sample] * Double(n - 1).squareRoot())
      }
      for i in 0..<d { explained[i] += pow(Double(factors[r * d + i]), 2) }
    }
    deviations = (0..<d).map { i in
      let spread = centred.reduce(0.0) { $0 + $1[i] * $1[i] } / Double(n - 1)
      let own = latents.reduce(0.0) { $0 + exp(Double($1.logVariance[i])) } / Double(n)
      return Float((max(0, spread - explained[i]) + own).squareRoot())
    }
    self.mean = mean.map { Float($0) }
    self.factors = factors
    self.coefficients = coefficients
  }

  /// A latent drawn at random.
  package func sample(_ random: inout Philox) -> [Float] {
    let d = mean.count
    var z = mean
    let directions = factors.count / max(1, d)
    let encodings = coefficients.count / max(1, directions)
    let start = encodings > 0 ? Int(random.next() % UInt64(encodings)) * directions : nil
    let freedom = (1 - Self.closeness * Self.closeness).squareRoot()
    for r in 0..<directions {
      var weight = random.normal()
      if let start { weight = Self.closeness * coefficients[start + r] + freedom * weight }
      for i in 0..<d { z[i] += weight * factors[r * d + i] }
    }
    for i in 0..<d { z[i] += deviations[i] * random.normal() }
    return z
  }
}
