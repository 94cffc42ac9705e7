import CKernels
import Parallel

/// A convolution between a wide and a narrow volume, in the three forms that training needs.
///
///     forward          narrow[o, j] = sum over c, t of weight[o, c, t] wide[c, stride j + t - 1]
///     transpose        the transpose of forward: wide from narrow
///     weightGradient   weight[o, c, t] = sum over j of narrow[o, j] wide[c, stride j + t - 1]
///
/// Wide has shape `[C, D, H, W]`, narrow `[O, D', H', W']`, weight `[O, C, k, k, k]`; one voxel of
/// zeros surrounds the wide volume. A convolution layer uses the three as its forward and backward
/// passes; a transposed convolution uses `transpose` as its forward pass and `forward` going
/// backward.
///
/// Rows are shared between threads, sums taken over fixed parts: results do not depend on the
/// number of threads.
final class PackedConvolution {
  private let wide: ActivationShape
  private let narrow: ActivationShape
  private let kernel: Int
  private let stride: Int
  private let isSparse: Bool
  /// `[O / 16][C / block][k^3][block c][16 o]`.
  private let forwardWeights: Tensor
  /// `[C / 16][O / 16][k^3][16 o][16 c]`, taps reversed for stride 1.
  private let transposeWeights: Tensor?
  private let partials: Tensor?
  /// Parts that the gradient of the weights is summed over, each a range of narrow rows.
  private let parts: Int

  /// `transpose` can be called if `transposes`, `weightGradient` if `trains`; `isSparse` tells that most of wide
  /// is zeros. Throws `NetworkError.outOfMemory`.
  init(
    wide: ActivationShape, narrow: ActivationShape, kernel: Int, stride: Int, transposes: Bool,
    trains: Bool, isSparse: Bool = false
  ) throws {
    precondition(narrow.block == 16, "the narrow side must be blocked")
    precondition(!transposes || wide.block == 16, "a plain wide side has no transpose")
    self.wide = wide
    self.narrow = narrow
    self.kernel = kernel
    self.stride = stride
    self.isSparse = isSparse
    let count = wide.paddedChannels * narrow.paddedChannels * kernel * kernel * kernel
    self.forwardWeights = try Tensor(count: count)
    self.transposeWeights = transposes ? try Tensor(count: count) : nil
    self.parts = min(16, narrow.extents.depth)
    self.partials = trains ? try Tensor(count: count * parts) : nil
  }

  /// Takes new weights, `[O, C, k, k, k]`.
  func setWeights(_ weights: Tensor) {
    let taps = kernel * kernel * kernel
    forEachTile { [wide, narrow, stride, forwardWeights, transposeWeights] outer, inner, place in
      for o in outer {
        for c in inner {
          for t in 0..<taps {
            let weight = weights.pointer[(o * wide.channels + c) * taps + t]
            forwardWeights.pointer[place(o, c, t)] = weight
            guard let transposeWeights else { continue }
            let tap = stride == 1 ? taps - 1 - t : t
            let block = (c / 16 * (narrow.paddedChannels / 16) + o / 16) * taps + tap
            transposeWeights.pointer[(block * 16 + o % 16) * 16 + c % 16] = weight
          }
        }
      }
    }
  }

  /// wide to narrow, with a bias `[padded O]`; what of it is wanted.
  func forward(
    _ wide: Tensor, bias: ConvolutionBias.Fused? = nil, into narrow: Tensor,
    over spans: RowSpans? = nil
  ) {
    precondition(spans?.extents ?? self.narrow.extents == self.narrow.extents)
    Self.down(
      shape, rows: narrowRows, wide, weights: forwardWeights, bias: bias, into: narrow, over: spans)
  }

  /// narrow to wide, with a bias `[padded C]`; what of it is wanted, and, for stride 2 alone, whether wide is
  /// added to.
  func transpose(
    _ narrow: Tensor, bias: ConvolutionBias.Fused? = nil, into wide: Tensor,
    over spans: RowSpans? = nil, adds: Bool = false
  ) {
    precondition(spans?.extents ?? self.wide.extents == self.wide.extents)
    guard let transposeWeights else {
      preconditionFailure("the convolution was made without its transpose")
    }
    if stride == 1 {
      // With stride 1 the transpose is a convolution too, its taps reversed.
      precondition(!adds, "only a transpose of stride 2 adds")
      var swapped = shape
      swap(&swapped.wide_channels, &swapped.narrow_channels)
      swapped.sparse = 0
      Self.down(
        swapped, rows: narrowRows, narrow, weights: transposeWeights, bias: bias, into: wide,
        over: spans)
      return
    }
    let rows = self.wide.extents.depth * self.wide.extents.height
    Self.run(shape, rows: rows, bias, over: spans) { shape, spans, range in
      shape.adds = adds ? 1 : 0
      segpipe_convolution_up(
        &shape, spans, narrow.pointer, transposeWeights.pointer, bias?.values.pointer, wide.pointer,
        range.lowerBound, range.upperBound)
    }
  }

  /// Both sides to the gradient of the weights, `[O, C, k, k, k]`, which is added to.
  func weightGradient(wide: Tensor, narrow: Tensor, into gradient: Tensor) {
    guard let partials else { preconditionFailure("the convolution was not made to train") }
    partials.fill(with: 0)
    let size = forwardWeights.count
    let (parts, rows) = (parts, narrowRows)
    Parallel.forEach(parts) { [shape] part in
      var shape = shape
      segpipe_convolution_weights(
        &shape, wide.pointer, narrow.pointer, partials.pointer + part * size,
        rows * part / parts, rows * (part + 1) / parts)
    }
    Parallel.forEachRange(of: size, size: 1 << 14) { range in
      for part in 1..<parts {
        segpipe_add(
          partials.pointer + part * size + range.lowerBound, partials.pointer + range.lowerBound,
          range.count)
      }
    }
    let taps = kernel * kernel * kernel
    forEachTile { [channels = self.wide.channels] outer, inner, place in
      for o in outer {
        for c in inner {
          for t in 0..<taps {
            gradient.pointer[(o * channels + c) * taps + t] += partials.pointer[place(o, c, t)]
          }
        }
      }
    }
  }

  // MARK: - Rows and tiles

  /// Rows that a thread takes at once.
  private static let rows = 8

  private var narrowRows: Int { narrow.extents.depth * narrow.extents.height }

  private static func down(
    _ shape: segpipe_convolution, rows: Int, _ wide: Tensor, weights: Tensor,
    bias: ConvolutionBias.Fused?, into narrow: Tensor, over spans: RowSpans?
  ) {
    run(shape, rows: rows, bias, over: spans) { shape, spans, range in
      segpipe_convolution_down(
        &shape, spans, wide.pointer, weights.pointer, bias?.values.pointer, narrow.pointer,
        range.lowerBound, range.upperBound)
    }
  }

  /// Calls `kernel` for ranges of rows of the output.
  private static func run(
    _ shape: segpipe_convolution, rows: Int, _ bias: ConvolutionBias.Fused?,
    over spans: RowSpans?,
    _ kernel:
      @Sendable (inout segpipe_convolution, UnsafePointer<segpipe_span>?, Range<Int>) -> Void
  ) {
    func run(_ spans: UnsafePointer<segpipe_span>?) {
      nonisolated(unsafe) let spans = spans
      Parallel.forEachRange(of: rows, size: Self.rows) { range in
        var shape = shape
        shape.linear = bias?.isLinear == true ? 1 : 0
        kernel(&shape, spans, range)
      }
    }
    guard let spans else { return run(nil) }
    spans.withKernelSpans { run($0) }
  }

  private var shape: segpipe_convolution {
    segpipe_convolution(
      wide_channels: wide.paddedChannels, wide_depth: wide.extents.depth,
      wide_height: wide.extents.height, wide_width: wide.extents.width,
      narrow_channels: narrow.paddedChannels, narrow_depth: narrow.extents.depth,
      narrow_height: narrow.extents.height, narrow_width: narrow.extents.width, kernel: kernel,
      stride: stride, block: wide.block, linear: 0, adds: 0,
      sparse: isSparse ? 1 : 0)
  }

  /// Calls `body` for every 16 output channels with each block of input channels, and with where a
  /// weight lies in `forwardWeights`.
  private func forEachTile(
    _ body:
      @Sendable (
        _ outer: Range<Int>, _ inner: Range<Int>, _ place: (_ o: Int, _ c: Int, _ t: Int) -> Int
      ) -> Void
  ) {
    let (block, inputs) = (wide.block, wide.paddedChannels / wide.block)
    let taps = kernel * kernel * kernel
    Parallel.forEach(narrow.paddedChannels / 16 * inputs) { [wide, narrow] tile in
      let (o, c) = (tile / inputs * 16, tile % inputs * block)
      body(o..<min(o + 16, narrow.channels), c..<min(c + block, wide.channels)) { o, c, t in
        (((o / 16 * inputs + c / block) * taps + t) * block + c % block) * 16 + o % 16
      }
    }
  }
}
