/// From a latent to the displacement of a location prior and the residual logits added to it.
///
/// z `[channels, cells]` -> convolution and ELU -> doubling convolutions with ELU, biases differing
/// from voxel to voxel but at the last level -> two linear convolutions, to 3 and to K channels, whose
/// weights start at zero: the decoder starts as the location prior itself.
final class WarpingDecoder {
  private let latent: ActivationShape
  private let first: Convolution3D
  private let doublings: [UpsampleConvolution3D]
  private let shiftHead: Convolution3D
  private let logitHead: Convolution3D
  private let input: Tensor
  private let inputGradient: Tensor?
  private let outputs: [Tensor]
  private let gradients: [Tensor]
  private let spare: Tensor?
  /// What `forward` made.
  let shift: Tensor
  let logits: Tensor
  /// What `backward` takes, overwritten.
  let shiftGradient: Tensor?
  let logitGradient: Tensor?

  /// What all label maps share is in the location prior already.
  private static let positionScale: Float = 0.2

  /// Gradients of the weights if `trains`; of the latent if `differentiates`.
  init(
    _ shape: WarpingShape, differentiates: Bool, trains: Bool, parameters: inout ParameterList
  ) throws {
    latent = ActivationShape(channels: shape.latentChannels, extents: shape.cells)
    first = try Convolution3D(
      "decoder.0", input: latent, channels: shape.decoderChannels[0], stride: 1,
      bias: .position(scale: Self.positionScale),
      trains: trains, passesGradient: differentiates, parameters: &parameters)
    var doublings: [UpsampleConvolution3D] = []
    for level in 1..<shape.decoderChannels.count {
      doublings.append(
        try UpsampleConvolution3D(
          "decoder.\(level)", input: doublings.last?.output ?? first.output,
          channels: shape.decoderChannels[level],
          bias: level + 1 < shape.decoderChannels.count
            ? .position(scale: Self.positionScale) : .channel, trains: trains,
          parameters: &parameters))
    }
    self.doublings = doublings
    let features = doublings.last?.output ?? first.output
    shiftHead = try Convolution3D(
      "shift", input: features, channels: 3, stride: 1, bias: .linear, trains: trains,
      passesGradient: differentiates, parameters: &parameters)
    logitHead = try Convolution3D(
      "logits", input: features, channels: shape.labels, stride: 1, bias: .linear, trains: trains,
      passesGradient: differentiates, parameters: &parameters)
    let shapes = [first.output] + doublings.map(\.output)
    input = try Tensor(count: latent.count)
    outputs = try shapes.map { try Tensor(count: $0.count) }
    shift = try Tensor(count: shiftHead.output.count)
    logits = try Tensor(count: logitHead.output.count)
    guard differentiates else {
      (inputGradient, gradients, spare, shiftGradient, logitGradient) = (nil, [], nil, nil, nil)
      return
    }
    inputGradient = try Tensor(count: latent.count)
    gradients = try shapes.map { try Tensor(count: $0.count) }
    spare = try Tensor(count: features.count)
    shiftGradient = try Tensor(count: shift.count)
    logitGradient = try Tensor(count: logits.count)
  }

  func update(from values: ParameterValues) {
    first.update(from: values)
    for layer in doublings { layer.update(from: values) }
    shiftHead.update(from: values)
    logitHead.update(from: values)
  }

  /// z to `logits` and to `shift`.
  func forward(_ z: [Float]) throws {
    let plain = try Tensor(count: latent.plainCount)
    plain.assign(z)
    latent.pack(plain, into: input)
    first.forward(input, into: outputs[0])
    for (level, layer) in doublings.enumerated() {
      layer.forward(outputs[level], into: outputs[level + 1])
    }
    logitHead.forward(outputs[outputs.count - 1], into: logits)
    shiftHead.forward(outputs[outputs.count - 1], into: shift)
  }

  /// From `shiftGradient` and `logitGradient` to the gradient with respect to z, which is returned,
  /// and those of the weights, which are added to unless frozen.
  func backward(into weights: ParameterValues?) throws -> [Float] {
    guard let shiftGradient, let logitGradient, let spare, let inputGradient else {
      preconditionFailure("the decoder was not made for gradients")
    }
    let last = outputs.count - 1
    shiftHead.backward(
      x: outputs[last], y: shift, dy: shiftGradient, dx: spare, gradients: weights)
    logitHead.backward(
      x: outputs[last], y: logits, dy: logitGradient, dx: gradients[last], gradients: weights)
    gradients[last].add(spare)
    for (level, layer) in doublings.enumerated().reversed() {
      layer.activationBackward(
        y: outputs[level + 1], dy: gradients[level + 1], gradients: weights)
      layer.linearBackward(
        x: outputs[level], dy: gradients[level + 1], dx: gradients[level], gradients: weights)
    }
    first.backward(
      x: input, y: outputs[0], dy: gradients[0], dx: inputGradient, gradients: weights)
    let plain = try Tensor(count: latent.plainCount)
    latent.unpack(inputGradient, into: plain)
    return Array(plain.elements)
  }
}
