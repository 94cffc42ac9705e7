/// Where the voxels of a target grid lie among the voxels of a source grid.
///
/// Target voxels that are larger than the source's are sampled at several points each, evenly
/// spread, so that what lies between their centres is not lost.
struct SampleMap: Sendable {
  /// Target voxel indices to source voxel indices.
  let affine: Affine
  /// Offsets of the sampled points from a target voxel's centre, in source voxels.
  let offsets: [SIMD3<Double>]
  /// Largest coordinates that are still on the source: its last voxels' centres.
  let last: SIMD3<Double>

  /// - `through`: target world millimetres to source world millimetres.
  init(source: Grid, target: Grid, through: Affine) {
    let affine = source.affine.inverse * through * target.affine
    self.affine = affine
    last = SIMD3<Double>(source.extents) - SIMD3(repeating: 1)
    let ratios = affine.columnNorms
    // Where axes are parallel: how many source voxels one target voxel spans.
    let counts = (0..<3).map { min(8, max(1, Int(min(ratios[$0], 8).rounded()))) }
    func spread(_ count: Int) -> [Double] {
      (0..<count).map { (Double($0) + 0.5) / Double(count) - 0.5 }
    }
    offsets = spread(counts[2]).flatMap { z in
      spread(counts[1]).flatMap { y in
        spread(counts[0]).map { affine.linear(SIMD3($0, y, z)) }
      }
    }
  }

  /// The eight voxels around a point: the lowest of them, and how far towards the next along each
  /// axis.
  ///
  /// `nil` further than half a voxel outside; within that, the outermost voxel's value goes on.
  /// Distances below a millionth of a voxel are rounding and count as none, so that grids whose
  /// voxels coincide exchange values exactly.
  @inline(__always)
  static func cell(
    _ point: SIMD3<Double>, last: SIMD3<Double>
  ) -> (base: SIMD3<Int>, fraction: SIMD3<Float>)? {
    let half = SIMD3<Double>(repeating: 0.5 + 1e-6)
    guard all(point .>= -half), all(point .<= last + half) else { return nil }
    let inside = point.clamped(lowerBound: .zero, upperBound: last)
    var base = SIMD3<Int>(Int(inside.x), Int(inside.y), Int(inside.z))
    var fraction = inside - SIMD3<Double>(base)
    for axis in 0..<3 {
      if fraction[axis] > 1 - 1e-6 {
        base[axis] += 1
        fraction[axis] = 0
      } else if fraction[axis] < 1e-6 {
        fraction[axis] = 0
      }
    }
    return (base, SIMD3<Float>(fraction))
  }
}
