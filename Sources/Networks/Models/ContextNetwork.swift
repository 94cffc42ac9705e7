import CKernels
import Parallel

/// Residual logits of every label from the posteriors around a voxel: what anatomy looks like close by.
///
/// This is auto-context (Tu and Bai, IEEE TPAMI 32, 2010) in one step: a first posterior, found voxel by
/// voxel, is what the network looks at; what it makes is added to the logarithm of the prior that the final
/// posterior is found by.
///
/// Shapes: posterior q and residual logits r `[M, D, H, W]` over a tile of even extents, zeros around it.
///
///     h = ELU(conv q)                       F channels
///     c = ELU(conv ELU(conv_2 h))           G channels, half the resolution
///     r = conv(ELU(conv h) + ELU(up c))     M channels, zero before training
package final class ContextNetwork {
  package let shape: ContextShape
  package let extents: Extents
  package let parameters: ParameterValues
  package let gradients: ParameterValues?
  /// Shape of q and r.
  package let activation: ActivationShape
  private let first: Convolution3D
  private let second: Convolution3D
  private let down: Convolution3D
  private let coarse: Convolution3D
  private let up: UpsampleConvolution3D
  private let last: Convolution3D
  /// What each layer makes, in that order; without training `up` adds to what `second` makes.
  private let outputs: [Tensor]
  /// Sum of the outputs of `second` and `up`.
  private let sum: Tensor
  private let backwards: Backwards?

  private struct Backwards {
    let first: Tensor
    let spare: Tensor
    let sum: Tensor
    let down: Tensor
    let coarse: Tensor
  }

  /// For tiles of `extents`, each even. Weights are zero until `initialize` or a file sets them. Throws
  /// `NetworkError`.
  package init(_ shape: ContextShape, extents: Extents, trains: Bool) throws {
    guard [extents.depth, extents.height, extents.width].allSatisfy({ $0 > 0 && $0 % 2 == 0 })
    else { throw NetworkError.invalidShape(reason: "a tile of \(extents); all must be even") }
    var list = ParameterList()
    self.shape = shape
    self.extents = extents
    activation = ActivationShape(channels: shape.labels, extents: extents)
    first = try Convolution3D(
      "first", input: activation, channels: shape.features, stride: 1, trains: trains,
      passesGradient: false, isSparse: true, parameters: &list)
    second = try Convolution3D(
      "second", input: first.output, channels: shape.features, stride: 1, trains: trains,
      passesGradient: trains, parameters: &list)
    down = try Convolution3D(
      "down", input: first.output, channels: shape.coarseFeatures, stride: 2, trains: trains,
      passesGradient: trains, parameters: &list)
    coarse = try Convolution3D(
      "coarse", input: down.output, channels: shape.coarseFeatures, stride: 1, trains: trains,
      passesGradient: trains, parameters: &list)
    up = try UpsampleConvolution3D(
      "up", input: coarse.output, channels: shape.features, trains: trains, parameters: &list)
    last = try Convolution3D(
      "last", input: second.output, channels: shape.labels, stride: 1, bias: .linear,
      trains: trains, passesGradient: trains, parameters: &list)
    var outputs = try [first.output, second.output, down.output, coarse.output].map {
      try Tensor(count: $0.count)
    }
    if trains { outputs.append(try Tensor(count: up.output.count)) }
    self.outputs = outputs
    sum = trains ? try Tensor(count: up.output.count) : outputs[1]
    parameters = try ParameterValues(list)
    gradients = trains ? try ParameterValues(list) : nil
    backwards =
      trains
      ? Backwards(
        first: try Tensor(count: first.output.count), spare: try Tensor(count: first.output.count),
        sum: try Tensor(count: up.output.count), down: try Tensor(count: down.output.count),
        coarse: try Tensor(count: coarse.output.count))
      : nil
  }

  /// Takes the weights to compute with.
  package func update() {
    for layer in [first, second, down, coarse, last] { layer.update(from: parameters) }
    up.update(from: parameters)
  }

  /// q to r. Both may be the same memory, unless the network advances.
  ///
  /// With `parts`, only those of q are looked at, and what else there is of r is left in any state: not for
  /// training.
  package func forward(_ q: Tensor, into r: Tensor, _ parts: ContextParts? = nil) {
    precondition(parts == nil || gradients == nil, "a network that trains makes all logits")
    first.forward(q, into: outputs[0], over: parts?.first)
    second.forward(outputs[0], into: outputs[1], over: parts?.sum)
    down.forward(outputs[0], into: outputs[2], over: parts?.down)
    coarse.forward(outputs[2], into: outputs[3], over: parts?.coarse)
    if gradients == nil {
      up.add(outputs[3], to: sum, over: parts?.sum)
    } else {
      up.forward(outputs[3], into: outputs[4])
      sum.assign(outputs[4].elements)
      sum.add(outputs[1])
    }
    last.forward(sum, into: r, over: parts?.logits)
  }

  /// Goes on along the first axis: what has been made of q, and q itself, are from now on those of the planes that lie
  /// `planes` further.
  package func advance(_ q: Tensor, by planes: Int) {
    precondition(planes % 2 == 0 && gradients == nil, "advances by \(planes) planes")
    activation.advance(q, by: planes)
    first.output.advance(outputs[0], by: planes)
    down.output.advance(outputs[2], by: planes / 2)
    coarse.output.advance(outputs[3], by: planes / 2)
  }

  /// After `forward`: from the gradient of r to those of the weights, which are replaced. For
  /// networks that were made to train.
  package func backward(_ q: Tensor, r: Tensor, dr: Tensor) {
    guard let gradients, let back = backwards else {
      preconditionFailure("the network was not made for training")
    }
    gradients.all.fill(with: 0)
    last.backward(x: sum, y: r, dy: dr, dx: back.sum, gradients: gradients)
    // The coarse path; its gradient is kept while the other path takes that of the sum.
    back.spare.assign(back.sum.elements)
    up.activationBackward(y: outputs[4], dy: back.spare, gradients: gradients)
    up.linearBackward(x: outputs[3], dy: back.spare, dx: back.coarse, gradients: gradients)
    coarse.backward(
      x: outputs[2], y: outputs[3], dy: back.coarse, dx: back.down, gradients: gradients)
    down.backward(
      x: outputs[0], y: outputs[2], dy: back.down, dx: back.first, gradients: gradients)
    second.backward(
      x: outputs[0], y: outputs[1], dy: back.sum, dx: back.spare, gradients: gradients)
    back.first.add(back.spare)
    first.backward(x: q, y: outputs[0], dy: back.first, dx: nil, gradients: gradients)
  }
}
