/// A variational auto-encoder of label volumes whose decoder warps a location prior and adds
/// residual logits.
///
/// What all label volumes share stays in the prior; z says how one of them differs, cell by cell of
/// the coarsest level, so that few volumes teach much. See `WarpedPrior` for the last layer.
package final class WarpingAutoEncoder: LabelModel {
  package let shape: WarpingShape
  package let parameters: ParameterValues
  package let gradients: ParameterValues?
  package let output: WarpedPrior
  /// `output` over voxels twice as large.
  package let halfOutput: WarpedPrior
  /// Weights of the labels in `differentiate`, `[K]`; nil for 1.
  package var labelWeights: [Float]?
  private let encoder: WarpingEncoder
  private let decoder: WarpingDecoder

  /// Weights are zero until `initialize` or a file sets them. Throws `NetworkError`.
  package init(
    _ shape: WarpingShape, prior: BytePrior, for purpose: LabelAutoEncoder.Purpose
  ) throws {
    guard prior.extents == shape.extents, prior.labelCount == shape.labels else {
      throw NetworkError.invalidShape(
        reason: "a prior of \(prior.labelCount) labels on \(prior.extents) for a network of "
          + "\(shape.labels) labels on \(shape.extents)")
    }
    let trains = purpose == .training
    var list = ParameterList()
    self.shape = shape
    output = WarpedPrior(prior, factor: shape.factor, floor: shape.floor)
    halfOutput = output.halved()
    encoder = try WarpingEncoder(shape, output: halfOutput, trains: trains, parameters: &list)
    decoder = try WarpingDecoder(
      shape, differentiates: purpose != .inference, trains: trains, parameters: &list)
    parameters = try ParameterValues(list)
    gradients = trains ? try ParameterValues(list) : nil
  }

  package var latentCount: Int { shape.latent }

  package func update() {
    encoder.update(from: parameters)
    decoder.update(from: parameters)
  }

  package func differentiate(
    _ labels: [UInt8], epsilon: [Float], beta: Float, scale: Float, part: VoxelPart
  ) throws -> LabelLoss {
    guard let gradients else {
      preconditionFailure("the model was not made for training")
    }
    gradients.all.fill(with: 0)
    let latent = encoder.forward(.labels(halved(labels)))
    let (value, dz) = try differentiate(
      at: latent.sample(epsilon), .labels(labels, weights: labelWeights), part: part,
      scale: scale * Float(part.stride), gradients: gradients)
    let (dMean, dLogVariance) = latent.backward(dz: dz, epsilon: epsilon, beta: beta * scale)
    encoder.backward(dMean: dMean, dLogVariance: dLogVariance, into: gradients)
    return LabelLoss(
      reconstruction: value / Double(scale), divergence: latent.divergence)
  }

  package func encode(_ labels: [UInt8]) throws -> GaussianLatent {
    encode(.labels(halved(labels)))
  }

  /// q(z given what was observed at `halfOutput`'s voxels).
  package func encode(_ observed: Observation) -> GaussianLatent { encoder.forward(observed) }

  /// One label of each block of 2x2x2 voxels; among eight neighbouring blocks every corner is taken
  /// once, so that nothing is displaced on average.
  private func halved(_ labels: [UInt8]) -> [UInt8] {
    let (extents, half) = (shape.extents, shape.extents.halved)
    var result = [UInt8](repeating: 0, count: half.count)
    var voxel = 0
    for z in 0..<half.depth {
      for y in 0..<half.height {
        let row = (2 * z + (z & 1)) * extents.height + 2 * y + (y & 1)
        for x in 0..<half.width {
          result[voxel] = labels[row * extents.width + 2 * x + (x & 1)]
          voxel += 1
        }
      }
    }
    return result
  }

  package func loss(_ labels: [UInt8], at z: [Float]) throws -> Double {
    try decoder.forward(z)
    return output.loss(shift: decoder.shift, logits: decoder.logits, observed: .labels(labels))
  }

  /// Any loss of what was observed at z, in nats, summed over voxels, times `scale`; and its
  /// gradient with respect to z. The weights are frozen. `output`, if given, is `halfOutput`.
  package func loss(
    at z: [Float], observed: Observation, scale: Float = 1, output: WarpedPrior? = nil,
    part: VoxelPart = .all
  ) throws -> (loss: Double, gradient: [Float]) {
    try differentiate(at: z, observed, part: part, scale: scale, output: output, gradients: nil)
  }

  /// The loss in nats of what was observed at `halfOutput`'s voxels, without gradients. Throws
  /// `NetworkError`.
  package func value(at z: [Float], observed: Observation) throws -> Double {
    try decoder.forward(z)
    return halfOutput.loss(shift: decoder.shift, logits: decoder.logits, observed: observed)
  }

  package func decode(_ z: [Float]) throws -> [UInt8] { try decode(z, logNormaliser: nil) }

  /// The most probable label at every voxel and the log of the sum of masses.
  package func decode(_ z: [Float], logNormaliser: Tensor?) throws -> [UInt8] {
    try decoder.forward(z)
    return output.mostProbable(
      shift: decoder.shift, logits: decoder.logits, logNormaliser: logNormaliser)
  }

  package func probabilities(
    at z: [Float], _ body: @Sendable (_ plane: Int, _ values: UnsafeBufferPointer<Float>) -> Void
  ) throws {
    try probabilities(at: z, parts: .all, body)
  }

  /// The same by some parts of what is decoded.
  package func probabilities(
    at z: [Float], parts: DecodedParts,
    _ body: @Sendable (_ plane: Int, _ values: UnsafeBufferPointer<Float>) -> Void
  ) throws {
    try decoder.forward(z)
    switch parts {
    case .all:
      output.forEachPlane(shift: decoder.shift, logits: decoder.logits, body)
    case .logits(let weight):
      let carried = try Tensor(count: decoder.logits.count)
      output.carry(decoder.logits, by: decoder.shift, weight: weight, into: carried)
      decoder.shift.fill(with: 0)
      output.forEachPlane(shift: decoder.shift, logits: carried, body)
    }
  }

  private func differentiate(
    at z: [Float], _ observed: Observation, part: VoxelPart = .all, scale: Float,
    output other: WarpedPrior? = nil, gradients: ParameterValues?
  ) throws -> (loss: Double, gradient: [Float]) {
    guard let shiftGradient = decoder.shiftGradient, let logitGradient = decoder.logitGradient
    else { preconditionFailure("the model was made for inference") }
    let output = other ?? self.output
    precondition(
      output.shift == self.output.shift && output.logits == self.output.logits,
      "lattice \(output.logits) for a decoder that makes \(self.output.logits)")
    try decoder.forward(z)
    let value = output.loss(
      shift: decoder.shift, logits: decoder.logits, observed: observed, part: part,
      scale: scale, gradients: (shiftGradient, logitGradient))
    return (value, try decoder.backward(into: gradients))
  }
}
