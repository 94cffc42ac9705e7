/// From a label volume to q(z given labels), the latent of `WarpingAutoEncoder`.
///
/// labels `[D, H, W]` -> convolutions of stride 2 with ELU -> one linear convolution to mean and
/// log-variance, `[channels, cells]` each. From the third convolution on, biases differ from voxel to
/// voxel: a structure's place counts relative to where it is expected.
final class WarpingEncoder {
  private let first: LabelConvolution3D
  private let rest: [Convolution3D]
  private let head: Convolution3D
  private let outputs: [Tensor]
  private let gradients: [Tensor]
  private let plain: Tensor
  /// Added to the log-variance: label volumes determine their latents well.
  private static let startingLogVariance: Float = -3
  private static let limit: Float = 12

  init(_ shape: WarpingShape, trains: Bool, parameters: inout ParameterList) throws {
    first = try LabelConvolution3D(
      "encoder.0", extents: shape.extents, labels: shape.labels,
      channels: shape.encoderChannels[0], trains: trains, parameters: &parameters)
    var rest: [Convolution3D] = []
    for level in 1..<shape.encoderChannels.count {
      rest.append(
        try Convolution3D(
          "encoder.\(level)", input: rest.last?.output ?? first.output,
          channels: shape.encoderChannels[level], stride: 2,
          bias: level >= 2 ? .position(scale: 1) : .channel, trains: trains, passesGradient: trains,
          parameters: &parameters))
    }
    self.rest = rest
    head = try Convolution3D(
      "posterior", input: rest.last?.output ?? first.output, channels: 2 * shape.latentChannels,
      stride: 1, bias: .linear, trains: trains, passesGradient: trains, parameters: &parameters)
    let shapes = [first.output] + rest.map(\.output) + [head.output]
    outputs = try shapes.map { try Tensor(count: $0.count) }
    gradients = trains ? try shapes.map { try Tensor(count: $0.count) } : []
    plain = try Tensor(count: head.output.plainCount)
  }

  func update(from values: ParameterValues) {
    first.update(from: values)
    for layer in rest + [head] { layer.update(from: values) }
  }

  /// Mean and log-variance of q(z given labels); labels of K and above are unknown.
  func forward(_ labels: [UInt8]) -> GaussianLatent {
    first.forward(labels, into: outputs[0])
    for (level, layer) in (rest + [head]).enumerated() {
      layer.forward(outputs[level], into: outputs[level + 1])
    }
    head.output.unpack(outputs[outputs.count - 1], into: plain)
    let latent = plain.count / 2
    return GaussianLatent(
      mean: Array(plain.elements[0..<latent]),
      logVariance: plain.elements[latent...].map {
        min(max($0 + Self.startingLogVariance, -Self.limit), Self.limit)
      })
  }

  /// From gradients of mean and log-variance to those of the weights, which are added to.
  func backward(
    _ labels: [UInt8], dMean: [Float], dLogVariance: [Float], into weights: ParameterValues
  ) {
    let last = outputs.count - 1
    plain.assign(dMean + dLogVariance)
    head.output.pack(plain, into: gradients[last])
    for (level, layer) in (rest + [head]).enumerated().reversed() {
      layer.backward(
        x: outputs[level], y: outputs[level + 1], dy: gradients[level + 1], dx: gradients[level],
        gradients: weights)
    }
    first.backward(labels, y: outputs[0], dy: gradients[0], gradients: weights)
  }
}
