/// Number of voxels of a volume along its three axes; `width` is the fastest in memory.
@usableFromInline package struct Extents: Hashable, Sendable, CustomStringConvertible {
  @usableFromInline package let depth: Int
  @usableFromInline package let height: Int
  @usableFromInline package let width: Int

  package init(_ depth: Int, _ height: Int, _ width: Int) {
    self.depth = depth
    self.height = height
    self.width = width
  }

  /// Number of voxels.
  @inlinable package var count: Int { depth * height * width }

  /// Half as many voxels along every axis, rounded up: what a 3x3x3 convolution of stride 2 leaves.
  package var halved: Extents { Extents((depth + 1) / 2, (height + 1) / 2, (width + 1) / 2) }

  /// Twice as many voxels along every axis.
  package var doubled: Extents { Extents(2 * depth, 2 * height, 2 * width) }

  @usableFromInline package var description: String { "\(depth)x\(height)x\(width)" }
}
