import Foundation

/// The latent of a variational auto-encoder: q(z) = N(mean, diag exp(logVariance)) against p(z) =
/// N(0, I).
///
/// Arrays have one element per latent dimension.
package struct GaussianLatent: Sendable {
  package let mean: [Float]
  package let logVariance: [Float]

  package init(mean: [Float], logVariance: [Float]) {
    precondition(
      mean.count == logVariance.count,
      "\(mean.count) means and \(logVariance.count) log-variances")
    self.mean = mean
    self.logVariance = logVariance
  }

  /// KL(q, p) of each dimension, in nats: (mean^2 + sigma^2 - log sigma^2 - 1) / 2.
  package var divergences: [Double] {
    zip(mean, logVariance).map { mean, logVariance in
      let (mean, logVariance) = (Double(mean), Double(logVariance))
      return 0.5 * (mean * mean + expm1(logVariance) - logVariance)
    }
  }

  /// KL(q, p), in nats.
  package var divergence: Double { divergences.reduce(0, +) }

  /// z = mean + exp(logVariance / 2) epsilon.
  package func sample(_ epsilon: [Float]) -> [Float] {
    mean.indices.map { mean[$0] + exp(0.5 * logVariance[$0]) * epsilon[$0] }
  }

  /// Gradients of L(z) + beta KL(q, p) with respect to mean and log-variance, from that of L.
  package func backward(
    dz: [Float], epsilon: [Float], beta: Float
  ) -> (mean: [Float], logVariance: [Float]) {
    (
      mean.indices.map { dz[$0] + beta * mean[$0] },
      mean.indices.map {
        let deviation = exp(0.5 * logVariance[$0])
        return 0.5 * (dz[$0] * epsilon[$0] * deviation + beta * (deviation * deviation - 1))
      }
    )
  }
}
