import CKernels

/// A part of a volume: of each row a run of voxels, which may be empty.
///
/// What lies between two voxels of a row belongs to the run: a part with holes is kept without them.
package struct RowSpans: Sendable {
  package let extents: Extents
  /// Row = plane * height + row of the plane.
  private var spans: [segpipe_span]

  /// The voxels of each row that `range` tells; ranges lie within `0..<width`.
  package init(_ extents: Extents, _ range: (_ plane: Int, _ row: Int) -> Range<Int>) {
    self.extents = extents
    spans = (0..<extents.depth * extents.height).map { row in
      let range = range(row / extents.height, row % extents.height)
      precondition(range.lowerBound >= 0 && range.upperBound <= extents.width)
      return segpipe_span(begin: UInt32(range.lowerBound), end: UInt32(range.upperBound))
    }
  }

  /// The voxels of a row.
  package func range(plane: Int, row: Int) -> Range<Int> {
    let span = spans[plane * extents.height + row]
    return Int(span.begin)..<Int(span.end)
  }

  /// Number of voxels.
  package var count: Int { spans.reduce(0) { $0 + Int($1.end - $1.begin) } }

  /// With every voxel that lies within `reach` along each axis.
  package func widened(by reach: Int) -> RowSpans {
    RowSpans(extents) { plane, row in
      let found = hull(
        max(0, plane - reach)..<min(extents.depth, plane + reach + 1),
        max(0, row - reach)..<min(extents.height, row + reach + 1))
      return found.isEmpty
        ? 0..<0
        : max(0, found.lowerBound - reach)..<min(extents.width, found.upperBound + reach)
    }
  }

  /// Voxels of `extents.halved` that hold any of these; voxel j holds 2 j and 2 j + 1.
  package var halved: RowSpans {
    RowSpans(extents.halved) { plane, row in
      let found = hull(
        2 * plane..<min(extents.depth, 2 * plane + 2), 2 * row..<min(extents.height, 2 * row + 2))
      return found.lowerBound / 2..<(found.upperBound + 1) / 2
    }
  }

  /// The voxels of a volume of `extents` that these hold.
  package func doubled(_ extents: Extents) -> RowSpans {
    precondition(extents.halved == self.extents)
    return RowSpans(extents) { plane, row in
      let range = range(plane: plane / 2, row: row / 2)
      return 2 * range.lowerBound..<min(extents.width, 2 * range.upperBound)
    }
  }

  /// The voxels of some planes, over the `depth` planes that begin at plane `lower`. Planes beyond the volume are empty.
  package func window(from lower: Int, depth: Int, planes: Range<Int>) -> RowSpans {
    let known = planes.clamped(to: 0..<extents.depth)
    return RowSpans(Extents(depth, extents.height, extents.width)) { plane, row in
      known.contains(lower + plane) ? range(plane: lower + plane, row: row) : 0..<0
    }
  }

  /// Voxels of either.
  package func union(_ other: RowSpans) -> RowSpans {
    precondition(other.extents == extents)
    return RowSpans(extents) {
      Self.union(range(plane: $0, row: $1), other.range(plane: $0, row: $1))
    }
  }

  /// The smallest rectangle that holds the voxels of some planes, if there are any.
  package func rectangle(
    of planes: Range<Int>
  ) -> (rows: Range<Int>, columns: Range<Int>)? {
    let rows = (0..<extents.height).filter { !hull(planes, $0..<$0 + 1).isEmpty }
    guard let first = rows.first, let last = rows.last else { return nil }
    return (first..<last + 1, hull(planes, first..<last + 1))
  }

  /// From the first to the last voxel of any of some rows.
  private func hull(_ planes: Range<Int>, _ rows: Range<Int>) -> Range<Int> {
    var found = 0..<0
    for plane in planes {
      for row in rows { found = Self.union(found, range(plane: plane, row: row)) }
    }
    return found
  }

  private static func union(_ a: Range<Int>, _ b: Range<Int>) -> Range<Int> {
    if a.isEmpty { return b }
    if b.isEmpty { return a }
    return min(a.lowerBound, b.lowerBound)..<max(a.upperBound, b.upperBound)
  }

  /// Lends the runs to a kernel.
  func withKernelSpans(_ body: (UnsafePointer<segpipe_span>?) -> Void) {
    spans.withUnsafeBufferPointer { body($0.baseAddress) }
  }
}
