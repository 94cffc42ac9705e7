import Parallel

/// A reordering of voxels by swapping and flipping axes: nothing is interpolated, so it can be
/// undone to the bit.
package struct VoxelOrder: Sendable {
  /// The grid before.
  package let source: Grid
  /// The same voxels at the same places, in the new order.
  package let target: Grid
  /// For each target axis, the source axis it runs along.
  private let axes: [Int]
  /// For each target axis, whether it runs against the source axis.
  private let isFlipped: [Bool]

  /// The order that brings a grid closest to an orientation.
  package init(from source: Grid, to orientation: Orientation) {
    let current = Orientation(closestTo: source.affine)
    var axes: [Int] = []
    var isFlipped: [Bool] = []
    for axis in 0..<3 {
      let from = current.axes.firstIndex(of: orientation.axes[axis]) ?? axis
      axes.append(from)
      isFlipped.append(current.isPositive[from] != orientation.isPositive[axis])
    }
    let columns = [source.affine.columns.0, source.affine.columns.1, source.affine.columns.2]
    var extents = SIMD3<Int>.zero
    var first = SIMD3<Double>.zero
    for axis in 0..<3 {
      extents[axis] = source.extents[axes[axis]]
      first[axes[axis]] = isFlipped[axis] ? Double(extents[axis] - 1) : 0
    }
    let turned = (0..<3).map { isFlipped[$0] ? -columns[axes[$0]] : columns[axes[$0]] }
    self.source = source
    target = Grid(
      extents: extents,
      affine: Affine(
        columns: (turned[0], turned[1], turned[2]), translation: source.affine(first)))
    self.axes = axes
    self.isFlipped = isFlipped
  }

  /// Brings a volume on `source` into the new order.
  package func apply<Scalar: BitwiseCopyable>(_ volume: Volume<Scalar>) -> Volume<Scalar> {
    let strides = [1, source.extents.x, source.extents.x * source.extents.y]
    var start = 0
    var step = [0, 0, 0]
    for axis in 0..<3 {
      let stride = strides[axes[axis]]
      step[axis] = isFlipped[axis] ? -stride : stride
      if isFlipped[axis] { start += stride * (target.extents[axis] - 1) }
    }
    return Self.gather(volume, onto: target, start: start, step: step)
  }

  /// Brings a volume on `target` back into the order of `source`: the inverse of `apply`, to the
  /// bit.
  package func undo<Scalar: BitwiseCopyable>(_ volume: Volume<Scalar>) -> Volume<Scalar> {
    let strides = [1, target.extents.x, target.extents.x * target.extents.y]
    var start = 0
    var step = [0, 0, 0]
    for axis in 0..<3 {
      let stride = strides[axis]
      step[axes[axis]] = isFlipped[axis] ? -stride : stride
      if isFlipped[axis] { start += stride * (target.extents[axis] - 1) }
    }
    return Self.gather(volume, onto: source, start: start, step: step)
  }

  /// `output[x, y, z] = input[start + x step0 + y step1 + z step2]`.
  private static func gather<Scalar: BitwiseCopyable>(
    _ volume: Volume<Scalar>, onto grid: Grid, start: Int, step: [Int]
  ) -> Volume<Scalar> {
    let extents = grid.extents
    let (stepX, stepY, stepZ) = (step[0], step[1], step[2])
    let voxels = [Scalar](unsafeUninitializedCapacity: grid.count) { output, filled in
      volume.voxels.withUnsafeBufferPointer { input in
        nonisolated(unsafe) let (source, target) = (input, output)
        Parallel.forEach(extents.z) { z in
          for y in 0..<extents.y {
            let from = start + y * stepY + z * stepZ
            let to = (z * extents.y + y) * extents.x
            for x in 0..<extents.x { target[to + x] = source[from + x * stepX] }
          }
        }
      }
      filled = grid.count
    }
    return Volume(grid: grid, voxels: voxels)
  }
}
