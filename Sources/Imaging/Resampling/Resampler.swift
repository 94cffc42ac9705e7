import Parallel

/// A volume brought onto another grid, as a whole or slab by slab.
///
/// What lies beyond the source's field of view gets `outside`. A slab needs memory for itself
/// alone.
package struct Resampler<Scalar: BitwiseCopyable & Sendable>: Sendable {
  package let source: Volume<Scalar>
  package let target: Grid
  private let map: SampleMap
  /// Writes some rows of the target, counted from its first plane on, to a place for these rows.
  private let fill: @Sendable (Range<Int>, UnsafeMutablePointer<Scalar>) -> Void

  /// `value` gives the value at a target voxel, from its centre in source voxels; `nil` outside.
  ///
  /// Inlined, so that whole rows run without a call a voxel, whichever module reads them.
  @inline(__always)
  init(
    _ source: Volume<Scalar>, _ target: Grid, through: Affine, outside: Scalar,
    _ value: @escaping @Sendable (SamplePoint<Scalar>) -> Scalar?
  ) {
    let map = SampleMap(source: source.grid, target: target, through: through)
    self.source = source
    self.target = target
    self.map = map
    let (extents, width, height) = (source.grid.extents, target.extents.x, target.extents.y)
    fill = { rows, result in
      source.voxels.withUnsafeBufferPointer { voxels in
        map.offsets.withUnsafeBufferPointer { offsets in
          for row in rows {
            let start = map.affine(SIMD3(0, Double(row % height), Double(row / height)))
            let target = result + (row - rows.lowerBound) * width
            for x in 0..<width {
              let point = SamplePoint(
                centre: start + map.affine.columns.0 * Double(x), offsets: offsets, last: map.last,
                extents: extents, voxels: voxels)
              target[x] = value(point) ?? outside
            }
          }
        }
      }
    }
  }

  /// Target planes `range` along the third axis, `range.count * extents.x * extents.y` values.
  package func slab(_ range: Range<Int>) -> [Scalar] {
    let (width, height) = (target.extents.x, target.extents.y)
    let rows = range.lowerBound * height..<range.upperBound * height
    return [Scalar](unsafeUninitializedCapacity: width * rows.count) { output, filled in
      nonisolated(unsafe) let result = output
      // A few rows per chunk: slabs may be a single plane.
      Parallel.forEachRange(of: rows.count, size: 16) { part in
        guard let first = result.baseAddress else { return }
        fill(
          rows.lowerBound + part.lowerBound..<rows.lowerBound + part.upperBound,
          first + part.lowerBound * width)
      }
      filled = width * rows.count
    }
  }

  /// The whole target.
  package func volume() -> Volume<Scalar> {
    Volume(grid: target, voxels: slab(0..<target.extents.z))
  }

  /// Share of the target's voxels, of every fourth along each axis, whose centres the source
  /// covers; of all, where it covers none of these.
  package var coverage: Double {
    let share = coverage(every: 4)
    return share > 0 ? share : coverage(every: 1)
  }

  private func coverage(every step: Int) -> Double {
    var (inside, total) = (0, 0)
    for z in stride(from: 0, to: target.extents.z, by: step) {
      for y in stride(from: 0, to: target.extents.y, by: step) {
        for x in stride(from: 0, to: target.extents.x, by: step) {
          total += 1
          let point = map.affine(SIMD3(Double(x), Double(y), Double(z)))
          if SampleMap.cell(point, last: map.last) != nil { inside += 1 }
        }
      }
    }
    return Double(inside) / Double(max(total, 1))
  }
}

/// A target voxel's place in the source.
struct SamplePoint<Scalar: BitwiseCopyable> {
  let centre: SIMD3<Double>
  /// As `SampleMap` has them.
  let offsets: UnsafeBufferPointer<SIMD3<Double>>
  let last: SIMD3<Double>
  let extents: SIMD3<Int>
  let voxels: UnsafeBufferPointer<Scalar>

  /// Calls `body` with each voxel that has weight, in a fixed order; weights of a point on the
  /// source add up to 1. Returns whether any point was on the source.
  @inline(__always)
  func forEachWeight(_ body: (Scalar, Float) -> Void) -> Bool {
    var isInside = false
    for offset in offsets {
      guard let (base, f) = SampleMap.cell(centre + offset, last: last) else { continue }
      isInside = true
      let first = (base.z * extents.y + base.y) * extents.x + base.x
      let g = SIMD3<Float>(repeating: 1) - f
      // A neighbour of no weight may lie beyond the last voxel: it must not be touched.
      for corner in 0..<8 {
        let (dx, dy, dz) = (corner & 1, corner >> 1 & 1, corner >> 2)
        let weight =
          (dx == 0 ? g.x : f.x) * (dy == 0 ? g.y : f.y) * (dz == 0 ? g.z : f.z)
        if weight > 0 {
          body(voxels[first + dx + dy * extents.x + dz * extents.x * extents.y], weight)
        }
      }
    }
    return isInside
  }
}
