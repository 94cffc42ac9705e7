import CKernels

/// Nearest upsampling by 2, then a 3x3x3 convolution, then ELU; computed as one transposed
/// convolution.
///
/// Shapes: input `[C, D, H, W]`, weight `[O, C, 3, 3, 3]`, bias `[O]`, output `[O, 2D, 2H, 2W]`.
///
/// The convolution of the upsampled volume reads each input voxel several times; adding the weights
/// that meet the same voxel gives a transposed convolution of stride 2 with a 4x4x4 kernel v (one
/// axis: v = w2, w1 + w2, w0 + w1, w0), which takes 8 products per output voxel and channel pair
/// instead of 27. The gradient with respect to v is taken back to w by the transpose of that
/// addition.
///
/// The output can be left before bias and ELU, for a next layer that applies them itself
/// (`OutputLayer`).
package final class UpsampleConvolution3D {
  package let input: ActivationShape
  package let output: ActivationShape
  private let weight: Parameter
  private let bias: ConvolutionBias
  private let convolution: PackedConvolution
  private let folded: Tensor
  private let weightGradient: Tensor?

  /// The parameters are called `name`.weight and `name`.bias. `linearBackward` can be asked for the
  /// weight's gradient if `trains`. Throws `NetworkError`.
  package init(
    _ name: String, input: ActivationShape, channels: Int, bias kind: LayerBias = .channel,
    trains: Bool, parameters: inout ParameterList
  ) throws {
    self.input = input
    self.output = ActivationShape(channels: channels, extents: input.extents.doubled)
    let fanIn = input.channels * 27
    self.weight = parameters.add(
      "\(name).weight", [channels, input.channels, 3, 3, 3], fanIn: fanIn)
    self.bias = try ConvolutionBias(
      name, kind: kind, output: output, fanIn: fanIn, parameters: &parameters)
    self.convolution = try PackedConvolution(
      wide: output, narrow: input, kernel: 4, stride: 2, transposes: true, trains: trains)
    self.folded = try Tensor(count: channels * input.channels * 64)
    self.weightGradient = trains ? try Tensor(count: folded.count) : nil
  }

  /// Takes the weights to compute with.
  package func update(from values: ParameterValues) {
    segpipe_fold_kernel(
      values[weight].pointer, folded.pointer, output.channels, input.channels)
    convolution.setWeights(folded)
    bias.update(from: values)
  }

  /// x to y before bias and ELU.
  package func linear(_ x: Tensor, into y: Tensor) {
    convolution.transpose(x, into: y)
  }

  /// x to y.
  package func forward(_ x: Tensor, into y: Tensor) {
    convolution.transpose(x, bias: bias.fused, into: y)
    bias.finish(y)
  }

  /// Adds what `forward` makes to y, of which `spans` are wanted; voxels beside them are left in any state. Not
  /// for a bias of a number a voxel.
  package func add(_ x: Tensor, to y: Tensor, over spans: RowSpans? = nil) {
    precondition(bias.fused != nil)
    convolution.transpose(x, bias: bias.fused, into: y, over: spans, adds: true)
  }

  /// Gradient of y to that before bias and ELU, in place; the bias's gradient is added to unless
  /// frozen.
  package func activationBackward(y: Tensor, dy: Tensor, gradients: ParameterValues?) {
    bias.backward(y: y, dy: dy, gradients: gradients)
  }

  /// Gradient before bias and ELU to dx, and the weight's gradient, which is added to unless
  /// frozen.
  package func linearBackward(
    x: Tensor, dy: Tensor, dx: Tensor, gradients: ParameterValues?
  ) {
    if let gradients, let weightGradient {
      weightGradient.fill(with: 0)
      convolution.weightGradient(wide: dy, narrow: x, into: weightGradient)
      segpipe_unfold_gradient(
        weightGradient.pointer, gradients[weight].pointer, output.channels, input.channels)
    }
    convolution.forward(dy, into: dx)
  }

  /// The bias `[padded O]`, for a next layer that applies it.
  package var featureBias: Tensor { bias.values }

  /// Where that layer adds the bias's gradient.
  package func featureBiasGradient(in gradients: ParameterValues) -> Tensor {
    bias.gradient(in: gradients)
  }
}
