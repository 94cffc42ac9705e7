/// A variational auto-encoder of label volumes: q(z given labels) from an encoder, labels given z
/// from a decoder whose logits are added to a log prior.
///
///     loss = -log p(labels given z) + beta KL(q, N(0, I))
///     z = mean + exp(logVariance / 2) epsilon
///
/// All activations share one planned piece of memory; the largest, the features of the last layer,
/// is overwritten by its own gradient.
package final class LabelAutoEncoder {
  package let shape: AutoEncoderShape
  package let parameters: ParameterValues
  package let gradients: ParameterValues?
  private let encoder: LabelEncoder
  private let decoder: LabelDecoder
  private let memory: Tensor

  /// What a pass is for; decides how much memory it takes.
  package enum Purpose: Sendable {
    /// Encoding and decoding.
    case inference
    /// Also gradients with respect to the latent, of a `WarpingAutoEncoder`; the weights are frozen.
    case latentGradient
    /// Also gradients of the weights.
    case training
  }

  /// Weights are zero until `initialize` or a file sets them. Throws `NetworkError`.
  package init(_ shape: AutoEncoderShape, for purpose: Purpose) throws {
    let trains = purpose == .training
    var list = ParameterList()
    self.shape = shape
    self.encoder = try LabelEncoder(shape, trains: trains, parameters: &list)
    self.decoder = try LabelDecoder(shape, trains: trains, parameters: &list)
    self.parameters = try ParameterValues(list)
    self.gradients = trains ? try ParameterValues(list) : nil

    var plan = MemoryPlan()
    let decoding = encoder.steps + 1
    let decodingBack = decoding + decoder.steps
    let encodingBack = decodingBack + decoder.steps
    encoder.reserve(in: &plan, from: 0, backward: trains ? encodingBack : nil)
    decoder.reserve(in: &plan, from: decoding, backward: trains ? decodingBack : nil)
    self.memory = try Tensor(count: plan.place())
    encoder.attach(plan, memory)
    decoder.attach(plan, memory)
  }

  /// To be called after the weights have changed: packs them for the layers.
  package func update() {
    encoder.update(from: parameters)
    decoder.update(from: parameters)
  }

  /// One pass forward and backward; gradients are overwritten. Does nothing to the weights.
  ///
  /// labels `[depth, height, width]` are at most K, which stands for none; epsilon `[latent]` is
  /// drawn from N(0, 1). `beta` weighs the divergence in the gradients, `scale` both terms; the loss
  /// is returned without either. Throws `NetworkError`. For
  /// models that were made for training.
  package func differentiate(
    _ labels: [UInt8], prior: LabelPrior, epsilon: [Float], beta: Float = 1, scale: Float = 1
  ) throws -> LabelLoss {
    guard let gradients else {
      preconditionFailure("the model was not made for training")
    }
    gradients.all.fill(with: 0)
    let latent = try encoder.forward(labels, values: parameters)
    let z = try Tensor(count: shape.latent)
    let dz = try Tensor(count: shape.latent)
    z.assign(latent.sample(epsilon))
    let reconstruction = try decoder.lossAndGradient(
      z, prior: prior, target: labels, scale: scale,
      parameters: parameters, gradients: gradients, dz: dz)
    let (dMean, dLogVariance) = latent.backward(
      dz: Array(dz.elements), epsilon: epsilon, beta: beta * scale)
    try encoder.backward(
      labels, dMean: dMean, dLogVariance: dLogVariance, values: parameters, gradients: gradients)
    return LabelLoss(
      reconstruction: reconstruction / Double(scale), divergence: latent.divergence)
  }

  /// Cross-entropy of a label volume at z, in nats, summed over voxels.
  package func crossEntropy(
    _ labels: [UInt8], prior: LabelPrior, at z: [Float]
  ) throws -> Double {
    let input = try Tensor(count: shape.latent)
    input.assign(z)
    return decoder.loss(input, prior: prior, target: labels, parameters: parameters)
  }

  /// q(z given labels).
  package func encode(_ labels: [UInt8]) throws -> GaussianLatent {
    try encoder.forward(labels, values: parameters)
  }

  /// Most probable label at every voxel for a given z, `[depth, height, width]`, and, if wanted,
  /// the log-normaliser: log sum over labels of exp(logit + log prior).
  package func decode(
    _ z: [Float], prior: LabelPrior, labels: inout [UInt8], logNormaliser: Tensor? = nil
  ) throws {
    let input = try Tensor(count: shape.latent)
    input.assign(z)
    try decoder.decode(
      input, prior: prior, parameters: parameters, labels: &labels, logNormaliser: logNormaliser)
  }

  /// Calls `body` with each plane of voxels along depth and its labels' probabilities for a given
  /// z, `[H, W, padded K]`, from several threads.
  package func probabilities(
    _ z: [Float], prior: LabelPrior,
    _ body: @Sendable (_ plane: Int, _ values: UnsafeBufferPointer<Float>) -> Void
  ) throws {
    let input = try Tensor(count: shape.latent)
    input.assign(z)
    decoder.probabilities(input, prior: prior, parameters: parameters, body)
  }
}
