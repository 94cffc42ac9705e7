/// A `LabelAutoEncoder` with the log prior that its logits are added to.
package final class FixedPriorAutoEncoder: LabelModel {
  package let network: LabelAutoEncoder
  private let prior: LabelPrior

  package init(_ network: LabelAutoEncoder, prior: LabelPrior) {
    self.network = network
    self.prior = prior
  }

  package var latentCount: Int { network.shape.latent }
  package var parameters: ParameterValues { network.parameters }
  package var gradients: ParameterValues? { network.gradients }

  package func update() { network.update() }

  package func differentiate(
    _ labels: [UInt8], epsilon: [Float], beta: Float, scale: Float, part: VoxelPart
  ) throws -> LabelLoss {
    try network.differentiate(
      labels, prior: prior, epsilon: epsilon, beta: beta, scale: scale)
  }

  package func encode(_ labels: [UInt8]) throws -> GaussianLatent { try network.encode(labels) }

  package func loss(_ labels: [UInt8], at z: [Float]) throws -> Double {
    try network.crossEntropy(labels, prior: prior, at: z)
  }

  package func decode(_ z: [Float]) throws -> [UInt8] {
    var labels = [UInt8](repeating: 0, count: network.shape.extents.count)
    try network.decode(z, prior: prior, labels: &labels)
    return labels
  }

  package func probabilities(
    at z: [Float], _ body: @Sendable (_ plane: Int, _ values: UnsafeBufferPointer<Float>) -> Void
  ) throws {
    try network.probabilities(z, prior: prior, body)
  }
}
