/// An encoder of observations, such as scans, into the latent of a trained `WarpingAutoEncoder`, whose
/// weights stay as they are.
///
/// Its parameters have the names and shapes of that auto-encoder's own encoder.
package final class ObservationEncoder {
  package let model: WarpingAutoEncoder
  package let parameters: ParameterValues
  package let gradients: ParameterValues?
  private let encoder: WarpingEncoder

  /// Weights are zero until `adopt`, `initialize` or a file sets them. Training needs a model made
  /// for `.latentGradient` or `.training`. Throws `NetworkError`.
  package init(through model: WarpingAutoEncoder, trains: Bool) throws {
    var list = ParameterList()
    self.model = model
    encoder = try WarpingEncoder(
      model.shape, output: model.halfOutput, trains: trains, parameters: &list)
    parameters = try ParameterValues(list)
    gradients = trains ? try ParameterValues(list) : nil
  }

  /// Takes the weights of the encoder that the model was trained with.
  package func adopt() {
    let own = Dictionary(uniqueKeysWithValues: parameters.list.parameters.map { ($0.name, $0) })
    for parameter in model.parameters.list.parameters {
      if let target = own[parameter.name] {
        parameters[target].assign(model.parameters[parameter].elements)
      }
    }
    update()
  }

  /// Takes the weights to compute with.
  package func update() { encoder.update(from: parameters) }

  /// q(z given what was observed at the voxels of `model.halfOutput`).
  package func encode(_ observed: Observation) -> GaussianLatent { encoder.forward(observed) }

  /// What the decoder is judged by.
  package enum Target {
    /// Labels at all voxels, `[D, H, W]`, of which a step takes a part.
    case labels([UInt8], part: VoxelPart)
    /// An observation at the voxels of `model.halfOutput`, each of which counts `weight`.
    case observed(Observation, weight: Float)
  }

  /// One sample of the bound's negative, E_q -log p(target given z) + beta KL(q, N(0, I)), its parts in
  /// nats; gradients of it times `scale` replace those of before. Throws `NetworkError`.
  package func differentiate(
    _ observed: Observation, target: Target, epsilon: [Float], beta: Float, scale: Float
  ) throws -> LabelLoss {
    guard let gradients else {
      preconditionFailure("the encoder was not made for training")
    }
    gradients.all.fill(with: 0)
    let latent = encoder.forward(observed)
    let z = latent.sample(epsilon)
    let (value, dz) =
      switch target {
      case .labels(let labels, let part):
        try model.loss(
          at: z, observed: .labels(labels, weights: model.labelWeights),
          scale: scale * Float(part.stride), part: part)
      case .observed(let observation, let weight):
        try model.loss(
          at: z, observed: observation, scale: scale * weight, output: model.halfOutput)
      }
    let (dMean, dLogVariance) = latent.backward(dz: dz, epsilon: epsilon, beta: beta * scale)
    encoder.backward(dMean: dMean, dLogVariance: dLogVariance, into: gradients)
    return LabelLoss(reconstruction: value / Double(scale), divergence: latent.divergence)
  }
}
