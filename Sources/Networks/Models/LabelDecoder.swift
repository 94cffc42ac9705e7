/// From a latent to the probability of every label at every voxel.
///
/// z `[latent]` -> dense and ELU -> `[channels, coarsest]` -> upsampling convolutions with ELU ->
/// output layer, to which the log prior is added.
package final class LabelDecoder {
  private let dense: Dense
  private let upsamplings: [UpsampleConvolution3D]
  private let output: OutputLayer
  private let activations: [ActivationShape]
  private var handles: [MemoryPlan.Handle] = []
  private var gradientHandles: [MemoryPlan.Handle] = []
  private var values: [Tensor] = []
  private var valueGradients: [Tensor] = []
  private let flat: Tensor
  private let flatGradient: Tensor

  init(
    _ shape: AutoEncoderShape, trains: Bool,
    parameters: inout ParameterList
  ) throws {
    let coarsest = ActivationShape(
      channels: shape.decoderChannels[0], extents: shape.coarsest)
    let cells = coarsest.channels * coarsest.extents.count
    self.dense = Dense("dense", inputs: shape.latent, outputs: cells, parameters: &parameters)
    var upsamplings: [UpsampleConvolution3D] = []
    for level in 0..<shape.levels {
      upsamplings.append(
        try UpsampleConvolution3D(
          "up.\(level).0", input: upsamplings.last?.output ?? coarsest,
          channels: shape.decoderChannels[level + 1], trains: trains,
          parameters: &parameters))
    }
    self.upsamplings = upsamplings
    self.activations = [coarsest] + upsamplings.map(\.output)
    self.output = try OutputLayer(
      "logits", features: activations[shape.levels], labels: shape.labels, parameters: &parameters)
    self.flat = try Tensor(count: cells)
    self.flatGradient = try Tensor(count: cells)
  }

  /// Steps that `forward` and `backward` take each, for `reserve`.
  var steps: Int { activations.count + 1 }

  /// Reserves activations: forward starts at step `start`, backward, if any, at `backward`.
  func reserve(in plan: inout MemoryPlan, from start: Int, backward: Int?) {
    for (level, shape) in activations.enumerated() {
      let isLast = level == activations.count - 1
      // The step of `backward` that reads this level's gradient, written one step before it.
      let read = backward.map { $0 + activations.count - 1 - level }
      handles.append(
        plan.reserve(shape.count, steps: start + level...(read ?? start + level + 1)))
      // The last level's gradient takes the place of its values.
      if let read, !isLast {
        gradientHandles.append(plan.reserve(shape.count, steps: read - 1...read))
      }
    }
  }

  /// Takes the memory that the plan gave.
  func attach(_ plan: MemoryPlan, _ memory: Tensor) {
    values = zip(handles, activations).map { plan.tensor($0, count: $1.count, in: memory) }
    valueGradients = zip(gradientHandles, activations).map {
      plan.tensor($0, count: $1.count, in: memory)
    }
    if !valueGradients.isEmpty { valueGradients.append(values[values.count - 1]) }
  }

  func update(from parameters: ParameterValues) {
    for layer in upsamplings { layer.update(from: parameters) }
    if let bias = upsamplings.last?.featureBias {
      output.update(from: parameters, featureBias: bias)
    }
  }

  /// Features before the last bias and ELU, kept for what follows.
  private func forward(_ z: Tensor, parameters: ParameterValues) {
    dense.forward(z, into: flat, values: parameters)
    Activation.elu(flat)
    activations[0].pack(flat, into: values[0])
    for (level, layer) in upsamplings.enumerated() {
      if level == upsamplings.count - 1 {
        layer.linear(values[level], into: values[level + 1])
      } else {
        layer.forward(values[level], into: values[level + 1])
      }
    }
  }

  /// -log of the probability of the given labels `[D, H, W]`, in nats, summed over voxels.
  func loss(
    _ z: Tensor, prior: LabelPrior, target: [UInt8], parameters: ParameterValues
  ) -> Double {
    forward(z, parameters: parameters)
    return output.forward(values[values.count - 1], prior: prior, target: target)
  }

  /// The same, times `scale`; its gradient with respect to z goes to
  /// `dz`, those of the weights are added to `gradients`. Throws `NetworkError.outOfMemory`.
  func lossAndGradient(
    _ z: Tensor, prior: LabelPrior, target: [UInt8], scale: Float, parameters: ParameterValues,
    gradients: ParameterValues, dz: Tensor
  ) throws -> Double {
    forward(z, parameters: parameters)
    let top = upsamplings.count - 1
    let value = try output.forwardBackward(
      values[top + 1], prior: prior, target: target, scale: scale, gradients: gradients,
      featureBiasGradient: upsamplings[top].featureBiasGradient(in: gradients))
    for level in (0...top).reversed() {
      if level < top {
        upsamplings[level].activationBackward(
          y: values[level + 1], dy: valueGradients[level + 1], gradients: gradients)
      }
      upsamplings[level].linearBackward(
        x: values[level], dy: valueGradients[level + 1], dx: valueGradients[level],
        gradients: gradients)
    }
    activations[0].unpack(valueGradients[0], into: flatGradient)
    Activation.eluBackward(flat, gradient: flatGradient)
    dense.backward(x: z, dy: flatGradient, dx: dz, values: parameters, gradients: gradients)
    return value
  }

  /// Most probable label and, if asked for, log-normaliser at every voxel.
  func decode(
    _ z: Tensor, prior: LabelPrior, parameters: ParameterValues, labels: inout [UInt8],
    logNormaliser: Tensor?
  ) throws {
    forward(z, parameters: parameters)
    output.decode(
      values[values.count - 1], prior: prior, labels: &labels, logNormaliser: logNormaliser)
  }

  /// Calls `body` with each plane of voxels and its probabilities; see `OutputLayer`.
  func probabilities(
    _ z: Tensor, prior: LabelPrior, parameters: ParameterValues,
    _ body: @Sendable (_ plane: Int, _ values: UnsafeBufferPointer<Float>) -> Void
  ) {
    forward(z, parameters: parameters)
    output.forEachPlane(values[values.count - 1], prior: prior, body)
  }
}
