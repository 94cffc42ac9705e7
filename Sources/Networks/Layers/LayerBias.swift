/// What a convolution adds to its products, and what follows.
package enum LayerBias: Sendable {
  /// One number a channel, then ELU.
  case channel
  /// One number a channel and voxel, then ELU: the layer knows where it is. The parameter counts
  /// `scale` times, so that a step of the optimiser moves these many numbers less than the others.
  case position(scale: Float)
  /// One number a channel, nothing after it; weights start at zero, so that the output does.
  case linear

  var startsAtZero: Bool {
    if case .linear = self { return true }
    return false
  }
}

/// The bias of a convolution, with the ELU after it.
///
/// Shapes: bias `[O]`, or, for `.position`, `[O / 16, D, H, W, 16]` (the layout of activations, O
/// rounded up to a multiple of 16).
final class ConvolutionBias {
  private let kind: LayerBias
  private let output: ActivationShape
  private let parameter: Parameter
  /// `[padded O]`, or all of `.position`'s.
  let values: Tensor

  init(
    _ name: String, kind: LayerBias, output: ActivationShape, fanIn: Int,
    parameters: inout ParameterList
  ) throws {
    self.kind = kind
    self.output = output
    let extents = output.extents
    switch kind {
    case .channel:
      parameter = parameters.add("\(name).bias", [output.channels], fanIn: fanIn)
    case .linear:
      parameter = parameters.add("\(name).bias", [output.channels], fanIn: nil)
    case .position:
      parameter = parameters.add(
        "\(name).bias",
        [output.paddedChannels / 16, extents.depth, extents.height, extents.width, 16], fanIn: nil)
    }
    if case .position = kind {
      values = try Tensor(count: output.count)
    } else {
      values = try Tensor(count: output.paddedChannels)
    }
  }

  /// The bias that the convolution's own kernel adds, and what it does then.
  struct Fused {
    /// `[padded O]`.
    let values: Tensor
    /// Whether ELU is left out.
    let isLinear: Bool
  }

  /// nil if `finish` does the work.
  var fused: Fused? {
    switch kind {
    case .channel: Fused(values: values, isLinear: false)
    case .linear: Fused(values: values, isLinear: true)
    case .position: nil
    }
  }

  /// The bias's gradient among all.
  func gradient(in gradients: ParameterValues) -> Tensor { gradients[parameter] }

  func update(from parameters: ParameterValues) {
    var scale: Float = 1
    if case .position(let own) = kind { scale = own }
    values.slice(0, count: parameter.count).assign(
      parameters[parameter].elements.lazy.map { $0 * scale })
  }

  /// What the kernel left to do on its output.
  func finish(_ y: Tensor) {
    if case .position = kind { Activation.addELU(values, to: y) }
  }

  /// Gradient of y to that before bias and ELU, in place; the bias's gradient is added to unless
  /// frozen.
  func backward(y: Tensor, dy: Tensor, gradients: ParameterValues?) {
    let gradient = gradients?[parameter]
    switch kind {
    case .channel:
      Activation.biasELUBackward(y, output, gradient: dy, biasGradient: gradient)
    case .position(let scale):
      Activation.biasELUBackward(y, output, gradient: dy, biasGradient: nil)
      guard let gradient else { return }
      for i in 0..<gradient.count { gradient.pointer[i] += scale * dy.pointer[i] }
    case .linear:
      if let gradient { Activation.addSums(of: dy, output, to: gradient) }
    }
  }
}
