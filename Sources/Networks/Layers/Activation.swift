import CKernels
import Parallel

/// ELU and the bias before it, going backward; forward they are part of the layers.
///
///     y[c] = ELU(x[c] + bias[c])        ELU(x) = x if x > 0, else exp(x) - 1
///     dx[c] = dy[c] ELU'(x)             ELU'(x) = 1 if y > 0, else y + 1
///     dbias[c] = sum over voxels of dx[c]
package enum Activation {
  /// Elements of a tile; sums are taken over tiles and added in tile order.
  private static let tile = 1 << 16

  /// y: what the layer made; gradient: dy, overwritten by dx; biasGradient: `[channels]`, added to.
  package static func biasELUBackward(
    _ y: Tensor, _ shape: ActivationShape, gradient: Tensor, biasGradient: Tensor?
  ) {
    let sums = forEachTile(shape) { range, group in
      var sum = [Float](repeating: 0, count: 16)
      segpipe_elu_backward(
        y.pointer + range.lowerBound, gradient.pointer + range.lowerBound, range.count, &sum)
      return (group, sum)
    }
    guard let biasGradient else { return }
    var totals = [Double](repeating: 0, count: shape.paddedChannels)
    for (group, sum) in sums {
      for i in 0..<16 { totals[group * 16 + i] += Double(sum[i]) }
    }
    for channel in 0..<shape.channels { biasGradient.pointer[channel] += Float(totals[channel]) }
  }

  /// y = ELU(y + bias), element by element.
  static func addELU(_ bias: Tensor, to y: Tensor) {
    Parallel.forEachRange(of: y.count, size: tile) { range in
      segpipe_add(bias.pointer + range.lowerBound, y.pointer + range.lowerBound, range.count)
      segpipe_elu(y.pointer + range.lowerBound, range.count)
    }
  }

  /// Adds the sums of y over voxels to those of each channel.
  static func addSums(of y: Tensor, _ shape: ActivationShape, to sums: Tensor) {
    let parts = forEachTile(shape) { range, group in
      var sum = [Double](repeating: 0, count: 16)
      for i in range { sum[i % 16] += Double(y.pointer[i]) }
      return (group, sum)
    }
    var totals = [Double](repeating: 0, count: shape.paddedChannels)
    for (group, sum) in parts {
      for i in 0..<16 { totals[group * 16 + i] += sum[i] }
    }
    for channel in 0..<shape.channels { sums.pointer[channel] += Float(totals[channel]) }
  }

  /// ELU of a small tensor, in place.
  package static func elu(_ x: Tensor) {
    segpipe_elu(x.pointer, x.count)
  }

  /// y: what `elu` made; gradient: dy, overwritten by dx.
  package static func eluBackward(_ y: Tensor, gradient: Tensor) {
    var sum = [Float](repeating: 0, count: 16)
    segpipe_elu_backward(y.pointer, gradient.pointer, y.count, &sum)
  }

  /// Calls `body` with every tile's elements and its group of 16 channels; returns the
  /// values in order.
  private static func forEachTile<Value: Sendable>(
    _ shape: ActivationShape, _ body: @Sendable (Range<Int>, _ group: Int) -> Value
  ) -> [Value] {
    let run = shape.extents.count * 16
    let tiles = (run + tile - 1) / tile
    return Parallel.map(shape.paddedChannels / 16 * tiles) { index in
      let (group, start) = (index / tiles, index % tiles * tile)
      return body(group * run + start..<group * run + min(run, start + tile), group)
    }
  }
}
