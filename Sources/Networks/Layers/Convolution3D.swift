/// 3x3x3 convolution with stride 1 or 2 and one voxel of zeros around the volume, then ELU unless
/// linear.
///
/// Shapes: input `[C, D, H, W]`, weight `[O, C, 3, 3, 3]`, bias `[O]` or one a voxel, output `[O, D', H', W']`
/// with D' = D for stride 1 and (D + 1) / 2 for stride 2.
///
///     y[o, j] = ELU(bias[o] + sum over c, t of weight[o, c, t] x[c, stride j + t - 1])
package final class Convolution3D {
  package let input: ActivationShape
  package let output: ActivationShape
  private let weight: Parameter
  private let bias: ConvolutionBias
  private let convolution: PackedConvolution

  /// The parameters are called `name`.weight and `name`.bias. `backward` can be called if `trains`,
  /// and asked for the gradient of the input if `passesGradient`. `isSparse`: most of the input is zeros, for
  /// which `forward` then takes no time. Throws `NetworkError`.
  package init(
    _ name: String, input: ActivationShape, channels: Int, stride: Int,
    bias kind: LayerBias = .channel, trains: Bool, passesGradient: Bool = true,
    isSparse: Bool = false, parameters: inout ParameterList
  ) throws {
    precondition(stride == 1 || stride == 2, "stride (=\(stride)) must be 1 or 2")
    self.input = input
    self.output = ActivationShape(
      channels: channels, extents: stride == 2 ? input.extents.halved : input.extents)
    let fanIn = input.channels * 27
    self.weight = parameters.add(
      "\(name).weight", [channels, input.channels, 3, 3, 3],
      fanIn: kind.startsAtZero ? nil : fanIn)
    self.bias = try ConvolutionBias(
      name, kind: kind, output: output, fanIn: fanIn, parameters: &parameters)
    self.convolution = try PackedConvolution(
      wide: input, narrow: output, kernel: 3, stride: stride,
      transposes: passesGradient, trains: trains, isSparse: isSparse)
  }

  /// Takes the weights to compute with.
  package func update(from values: ParameterValues) {
    convolution.setWeights(values[weight])
    bias.update(from: values)
  }

  /// x to y, of which `spans` are wanted; the rest of y is not written. A bias of a number a voxel goes
  /// with all of y alone.
  package func forward(_ x: Tensor, into y: Tensor, over spans: RowSpans? = nil) {
    precondition(spans == nil || bias.fused != nil)
    convolution.forward(x, bias: bias.fused, into: y, over: spans)
    bias.finish(y)
  }

  /// dy to dx, unless nil, and the weights' gradients, which are added to unless frozen. dy is
  /// overwritten by the gradient before ELU.
  package func backward(
    x: Tensor, y: Tensor, dy: Tensor, dx: Tensor?, gradients: ParameterValues?
  ) {
    bias.backward(y: y, dy: dy, gradients: gradients)
    if let gradients { convolution.weightGradient(wide: x, narrow: dy, into: gradients[weight]) }
    if let dx { convolution.transpose(dy, into: dx) }
  }
}
