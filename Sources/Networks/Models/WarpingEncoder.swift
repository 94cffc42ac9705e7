/// From an observation to q(z given it), the latent of `WarpingAutoEncoder`.
///
/// The encoder sees the observation only as what it asks of the undisplaced prior: minus the
/// gradient of its log-likelihood with respect to logits (too much or too little of each label) and
/// shift (the pull at boundaries) at every lattice node. Label volumes and scans of any contrast thus
/// look alike to it. Voxels twice as large as the decoder's are fine enough for that.
///
/// features `[padded K + 16, nodes]` -> halving convolutions, then one of stride 1, with ELU -> one
/// linear convolution to mean and log-variance, `[channels, cells]` each. Biases with ELU differ from
/// voxel to voxel: what a pull means depends on where it is.
final class WarpingEncoder {
  private let features: ActivationShape
  private let layers: [Convolution3D]
  /// `features`, then what each layer makes.
  private let outputs: [Tensor]
  private let gradients: [Tensor]
  private let plain: Tensor
  private let output: WarpedPrior
  private let still: (shift: Tensor, logits: Tensor)
  /// Added to the log-variance: label volumes determine their latents well.
  private static let startingLogVariance: Float = -3
  private static let limit: Float = 12
  /// Brings features to about unit size.
  private static let featureScale: Float = 4

  /// `output` is the decoder's last layer over larger voxels.
  init(
    _ shape: WarpingShape, output: WarpedPrior, trains: Bool, parameters: inout ParameterList
  ) throws {
    self.output = output
    features = ActivationShape(
      channels: output.logits.paddedChannels + output.shift.paddedChannels,
      extents: output.logits.extents)
    var layers: [Convolution3D] = []
    var input = features
    func append(_ name: String, channels: Int, stride: Int, bias: LayerBias) throws {
      let layer = try Convolution3D(
        name, input: input, channels: channels, stride: stride, bias: bias, trains: trains,
        passesGradient: trains && !layers.isEmpty, parameters: &parameters)
      layers.append(layer)
      input = layer.output
    }
    for (level, channels) in shape.encoderChannels.enumerated() {
      try append(
        "encoder.\(level)", channels: channels, stride: level < shape.halvings ? 2 : 1,
        bias: .position(scale: 1))
    }
    try append("posterior", channels: 2 * shape.latentChannels, stride: 1, bias: .linear)
    self.layers = layers
    let shapes = [features] + layers.map(\.output)
    outputs = try shapes.map { try Tensor(count: $0.count) }
    gradients = trains ? try shapes.map { try Tensor(count: $0.count) } : []
    plain = try Tensor(count: input.plainCount)
    still = (try Tensor(count: output.shift.count), try Tensor(count: output.logits.count))
  }

  func update(from values: ParameterValues) {
    for layer in layers { layer.update(from: values) }
  }

  /// Mean and log-variance of q(z given what was observed at `output`'s voxels).
  func forward(_ observed: Observation) -> GaussianLatent {
    let input = outputs[0]
    let nodeVoxels = Float(output.factor * output.factor * output.factor)
    _ = output.loss(
      shift: still.shift, logits: still.logits, observed: observed,
      scale: -Self.featureScale / nodeVoxels,
      gradients: (
        shift: input.slice(still.logits.count, count: still.shift.count),
        logits: input.slice(0, count: still.logits.count)
      ))
    for (level, layer) in layers.enumerated() {
      layer.forward(outputs[level], into: outputs[level + 1])
    }
    let last = layers[layers.count - 1].output
    last.unpack(outputs[outputs.count - 1], into: plain)
    let latent = plain.count / 2
    return GaussianLatent(
      mean: Array(plain.elements[0..<latent]),
      logVariance: plain.elements[latent...].map {
        min(max($0 + Self.startingLogVariance, -Self.limit), Self.limit)
      })
  }

  /// After `forward`: from gradients of mean and log-variance to those of the weights, which are added
  /// to.
  func backward(dMean: [Float], dLogVariance: [Float], into weights: ParameterValues) {
    plain.assign(dMean + dLogVariance)
    layers[layers.count - 1].output.pack(plain, into: gradients[gradients.count - 1])
    for (level, layer) in layers.enumerated().reversed() {
      layer.backward(
        x: outputs[level], y: outputs[level + 1], dy: gradients[level + 1],
        dx: level > 0 ? gradients[level] : nil, gradients: weights)
    }
  }
}
