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
  /// Numbers that a kernel takes of a pair of channels: k^3, or 64 where it works in tiles.
  private let products: Int
  /// `[O / 16][C / 16][products][16 c][16 o]`.
  private let forwardWeights: Tensor
  /// `[C / 16][O / 16][products][16 o][16 c]`, taps reversed for stride 1.
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
    self.wide = wide
    self.narrow = narrow
    self.kernel = kernel
    self.stride = stride
    self.isSparse = isSparse
    let taps = kernel * kernel * kernel
    self.products = kernel == 3 && stride == 1 && !isSparse ? 64 : taps
    let pairs = wide.paddedChannels * narrow.paddedChannels
    self.forwardWeights = try Tensor(count: pairs * products)
    self.transposeWeights = transposes ? try Tensor(count: pairs * products) : nil
    self.parts = min(16, narrow.extents.depth)
    self.partials = trains ? try Tensor(count: pairs * taps * parts) : nil
  }

  private var isTiled: Bool { products == 64 && kernel == 3 }

  /// Takes new weights, `[O, C, k, k, k]`.
  func setWeights(_ weights: Tensor) {
    let taps = kernel * kernel * kernel
    forEachBlock(of: products) {
      [wide, narrow, stride, isTiled, products, forwardWeights, transposeWeights]
      outer, inner, place in
      var own = [Float](repeating: 0, count: taps)
      var packed = [Float](repeating: 0, count: products)
      func pack() { if isTiled { segpipe_tile_weights(own, &packed) } else { packed = own } }
      for o in outer {
        for c in inner {
          for t in 0..<taps { own[t] = weights.pointer[(o * wide.channels + c) * taps + t] }
          pack()
          for i in 0..<products { forwardWeights.pointer[place(o, c, i)] = packed[i] }
          guard let transposeWeights else { continue }
          if stride == 1 {
            own.reverse()
            pack()
          }
          let block = (c / 16 * (narrow.paddedChannels / 16) + o / 16) * products
          for i in 0..<products {
            transposeWeights.pointer[((block + i) * 16 + o % 16) * 16 + c % 16] = packed[i]
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
    down(shape, wide, weights: forwardWeights, bias: bias, into: narrow, over: spans)
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
      down(swapped, narrow, weights: transposeWeights, bias: bias, into: wide, over: spans)
      return
    }
    let rows = self.wide.extents.depth * self.wide.extents.height
    Self.run(shape, rows: rows, size: Self.rows, bias, over: spans) { shape, spans, range in
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
    let size = partials.count / parts
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
    forEachBlock(of: taps) { [channels = self.wide.channels] outer, inner, place in
      for o in outer {
        for c in inner {
          for t in 0..<taps {
            gradient.pointer[(o * channels + c) * taps + t] += partials.pointer[place(o, c, t)]
          }
        }
      }
    }
  }

  // MARK: - Rows and blocks

  /// Rows that a thread takes at once, and rows of tiles, of which each is four rows.
  private static let (rows, rowsOfTiles) = (8, 2)

  private var narrowRows: Int { narrow.extents.depth * narrow.extents.height }

  private func down(
    _ shape: segpipe_convolution, _ wide: Tensor, weights: Tensor,
    bias: ConvolutionBias.Fused?, into narrow: Tensor, over spans: RowSpans?
  ) {
    let extents = self.narrow.extents
    let count =
      isTiled
      ? (extents.depth + 1) / 2 * ((extents.height + 1) / 2) : extents.depth * extents.height
    Self.run(
      shape, rows: count, size: isTiled ? Self.rowsOfTiles : Self.rows, bias, over: spans
    ) { [isTiled] shape, spans, range in
      let kernel = isTiled ? segpipe_convolution_tiles : segpipe_convolution_down
      kernel(
        &shape, spans, wide.pointer, weights.pointer, bias?.values.pointer, narrow.pointer,
        range.lowerBound, range.upperBound)
    }
  }

  /// Calls `kernel` for ranges of `size` rows of the output.
  private static func run(
    _ shape: segpipe_convolution, rows: Int, size: Int, _ bias: ConvolutionBias.Fused?,
    over spans: RowSpans?,
    _ kernel:
      @Sendable (inout segpipe_convolution, UnsafePointer<segpipe_span>?, Range<Int>) -> Void
  ) {
    func run(_ spans: UnsafePointer<segpipe_span>?) {
      nonisolated(unsafe) let spans = spans
      Parallel.forEachRange(of: rows, size: size) { range in
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
      stride: stride, linear: 0, adds: 0, sparse: isSparse ? 1 : 0)
  }

  /// Calls `body` for every 16 output channels with every 16 input channels, and with where the
  /// `numbers` of a pair of channels lie.
  private func forEachBlock(
    of numbers: Int,
    _ body:
      @Sendable (
        _ outer: Range<Int>, _ inner: Range<Int>, _ place: (_ o: Int, _ c: Int, _ i: Int) -> Int
      ) -> Void
  ) {
    let inputs = wide.paddedChannels / 16
    Parallel.forEach(narrow.paddedChannels / 16 * inputs) { [wide, narrow] index in
      let (o, c) = (index / inputs * 16, index % inputs * 16)
      body(o..<min(o + 16, narrow.channels), c..<min(c + 16, wide.channels)) { o, c, i in
        (((o / 16 * inputs + c / 16) * numbers + i) * 16 + c % 16) * 16 + o % 16
      }
    }
  }
}
