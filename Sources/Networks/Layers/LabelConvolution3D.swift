import CKernels
import Parallel

/// First layer of a network over label volumes: a 3x3x3 convolution of stride 2, then ELU, on the
/// one-hot volume that is never built.
///
/// Shapes: labels `[D, H, W]` with values below K, weight `[O, K, 3, 3, 3]`, bias `[O]`, output
/// `[O, D', H', W']` with D' = (D + 1) / 2.
///
///     y[o, j] = ELU(bias[o] + sum over t of weight[o, labels[2 j + t - 1], t])
///
/// A one-hot input picks one row of weights per tap: rows are gathered by label and added.
/// Backward, gradients are added to the rows. Taps outside of the volume add nothing.
package final class LabelConvolution3D {
  /// Extents of the label volume.
  package let extents: Extents
  package let output: ActivationShape
  private let labelCount: Int
  private let weight: Parameter
  private let bias: Parameter
  /// `[27][K + 1][padded O]`; row K is zero.
  private let table: Tensor
  private let paddedBias: Tensor
  private let partial: Tensor?
  /// Parts that the gradient is summed over, each a range of output planes.
  private static let parts = 16

  /// The parameters are called `name`.weight and `name`.bias. K is at most 255. `backward` can be
  /// called if `trains`. Throws `NetworkError.outOfMemory`.
  package init(
    _ name: String, extents: Extents, labels: Int, channels: Int, trains: Bool,
    parameters: inout ParameterList
  ) throws {
    precondition((1...255).contains(labels), "labels (=\(labels)) must be 1 to 255")
    self.extents = extents
    self.labelCount = labels
    self.output = ActivationShape(channels: channels, extents: extents.halved)
    self.weight = parameters.add("\(name).weight", [channels, labels, 3, 3, 3], fanIn: labels * 27)
    self.bias = parameters.add("\(name).bias", [channels], fanIn: labels * 27)
    let padded = Lanes.padded(channels)
    self.table = try Tensor(count: 27 * (labels + 1) * padded)
    self.paddedBias = try Tensor(count: padded)
    self.partial = trains ? try Tensor(count: Self.parts * table.count) : nil
  }

  /// Takes the weights to compute with.
  package func update(from values: ParameterValues) {
    forEachWeight { table.pointer[$1] = values[weight].pointer[$0] }
    paddedBias.slice(0, count: output.channels).assign(values[bias].elements)
  }

  /// labels to y.
  package func forward(_ labels: [UInt8], into y: Tensor) {
    precondition(labels.count == extents.count, "\(labels.count) labels for \(extents)")
    labels.withUnsafeBufferPointer { labels in
      nonisolated(unsafe) let base = labels.baseAddress
      Parallel.forEach(output.extents.depth) { [geometry, table, paddedBias] plane in
        var geometry = geometry
        segpipe_gather_forward(
          &geometry, base, table.pointer, paddedBias.pointer, y.pointer, plane, plane + 1)
      }
    }
  }

  /// dy to the weights' gradients, which are added to; dy is overwritten by the gradient before
  /// ELU.
  package func backward(_ labels: [UInt8], y: Tensor, dy: Tensor, gradients: ParameterValues) {
    Activation.biasELUBackward(y, output, gradient: dy, biasGradient: gradients[bias])
    guard let partial else { preconditionFailure("the layer was not made to train") }
    partial.fill(with: 0)
    let (planes, size) = (output.extents.depth, table.count)
    labels.withUnsafeBufferPointer { labels in
      nonisolated(unsafe) let base = labels.baseAddress
      Parallel.forEach(Self.parts) { [geometry] part in
        var geometry = geometry
        segpipe_gather_backward(
          &geometry, base, dy.pointer, partial.pointer + part * size,
          planes * part / Self.parts, planes * (part + 1) / Self.parts)
      }
    }
    let gradient = gradients[weight].pointer
    forEachWeight { element, row in
      var sum = 0.0
      for part in 0..<Self.parts { sum += Double(partial.pointer[part * size + row]) }
      gradient[element] += Float(sum)
    }
  }

  private var geometry: segpipe_gather {
    segpipe_gather(
      depth: extents.depth, height: extents.height, width: extents.width, labels: labelCount,
      channels: output.channels)
  }

  /// Calls `body` with the positions of every weight in the parameter and in the table.
  private func forEachWeight(_ body: (_ element: Int, _ row: Int) -> Void) {
    let padded = output.paddedChannels
    for channel in 0..<output.channels {
      for label in 0..<labelCount {
        for tap in 0..<27 {
          body(
            (channel * labelCount + label) * 27 + tap,
            (tap * (labelCount + 1) + label) * padded + channel)
        }
      }
    }
  }
}
