/// From a label volume to the mean and log-variance of a latent.
///
/// labels `[D, H, W]` -> convolutions of stride 2 with ELU -> flattened `[channels x coarsest]`,
/// channel by channel -> two dense layers, `[latent]` each.
package final class LabelEncoder {
  private let first: LabelConvolution3D
  private let rest: [Convolution3D]
  private let mean: Dense
  private let logVariance: Dense
  private let activations: [ActivationShape]
  private var handles: [MemoryPlan.Handle] = []
  private var gradientHandles: [MemoryPlan.Handle] = []
  private var outputs: [Tensor] = []
  private var outputGradients: [Tensor] = []
  private let flat: Tensor
  private let flatGradient: Tensor

  init(
    _ shape: AutoEncoderShape, trains: Bool, parameters: inout ParameterList
  ) throws {
    self.first = try LabelConvolution3D(
      "encoder.0.0", extents: shape.extents, labels: shape.labels,
      channels: shape.encoderChannels[0], trains: trains, parameters: &parameters)
    var rest: [Convolution3D] = []
    for level in 1..<shape.levels {
      rest.append(
        try Convolution3D(
          "encoder.\(level).0", input: rest.last?.output ?? first.output,
          channels: shape.encoderChannels[level], stride: 2, trains: trains,
          passesGradient: trains, parameters: &parameters))
    }
    self.rest = rest
    self.activations = [first.output] + rest.map(\.output)
    let cells = shape.encoderChannels[shape.levels - 1] * shape.coarsest.count
    self.mean = Dense("mean", inputs: cells, outputs: shape.latent, parameters: &parameters)
    self.logVariance = Dense(
      "log_variance", inputs: cells, outputs: shape.latent, parameters: &parameters)
    self.flat = try Tensor(count: cells)
    self.flatGradient = try Tensor(count: cells)
  }

  /// Steps that `forward` and `backward` take each, for `reserve`.
  var steps: Int { activations.count }

  /// Reserves activations: forward starts at step `start`, backward, if any, at `backward`.
  func reserve(in plan: inout MemoryPlan, from start: Int, backward: Int?) {
    for (level, shape) in activations.enumerated() {
      // Read by the next layer, and going backward by the next layer and by this one.
      let last = backward.map { $0 + steps - 1 - level } ?? start + level + 1
      handles.append(plan.reserve(shape.count, steps: start + level...last))
      if let backward {
        let made = backward + max(0, steps - 2 - level)
        gradientHandles.append(plan.reserve(shape.count, steps: made...last))
      }
    }
  }

  /// Takes the memory that the plan gave.
  func attach(_ plan: MemoryPlan, _ memory: Tensor) {
    outputs = zip(handles, activations).map { plan.tensor($0, count: $1.count, in: memory) }
    outputGradients = zip(gradientHandles, activations).map {
      plan.tensor($0, count: $1.count, in: memory)
    }
  }

  func update(from values: ParameterValues) {
    first.update(from: values)
    for layer in rest { layer.update(from: values) }
  }

  /// Mean and log-variance of q(z given labels).
  func forward(_ labels: [UInt8], values: ParameterValues) throws -> GaussianLatent {
    first.forward(labels, into: outputs[0])
    for (level, layer) in rest.enumerated() {
      layer.forward(outputs[level], into: outputs[level + 1])
    }
    activations[steps - 1].unpack(outputs[steps - 1], into: flat)
    let heads = try [mean, logVariance].map { head in
      let y = try Tensor(count: head.outputs)
      head.forward(flat, into: y, values: values)
      return Array(y.elements)
    }
    return GaussianLatent(mean: heads[0], logVariance: heads[1])
  }

  /// From gradients of mean and log-variance to those of the weights, which are added to.
  func backward(
    _ labels: [UInt8], dMean: [Float], dLogVariance: [Float], values: ParameterValues,
    gradients: ParameterValues
  ) throws {
    for (head, gradient) in [(mean, dMean), (logVariance, dLogVariance)] {
      let dy = try Tensor(count: gradient.count)
      dy.assign(gradient)
      head.backward(
        x: flat, dy: dy, dx: flatGradient, addsToInput: head === logVariance, values: values,
        gradients: gradients)
    }
    activations[steps - 1].pack(flatGradient, into: outputGradients[steps - 1])
    for level in (0..<rest.count).reversed() {
      rest[level].backward(
        x: outputs[level], y: outputs[level + 1], dy: outputGradients[level + 1],
        dx: outputGradients[level], gradients: gradients)
    }
    first.backward(labels, y: outputs[0], dy: outputGradients[0], gradients: gradients)
  }
}
