/// A box of voxels and where it lies in world space.
package struct Grid: Equatable, Sendable {
  /// Voxels along each axis, each at least 1. The first axis is the fastest in memory.
  package let extents: SIMD3<Int>
  /// Voxel indices to world millimetres (RAS+).
  package let affine: Affine

  package init(extents: SIMD3<Int>, affine: Affine) {
    self.extents = extents
    self.affine = affine
  }

  /// Number of voxels.
  package var count: Int { extents.x * extents.y * extents.z }

  /// Voxel size along each axis, in mm.
  package var spacing: SIMD3<Double> { affine.columnNorms }

  /// Volume of a voxel, in mm3.
  package var voxelVolume: Double { abs(affine.determinant) }

  /// Position in memory of a voxel.
  package func index(_ x: Int, _ y: Int, _ z: Int) -> Int { (z * extents.y + y) * extents.x + x }

  /// Whether there is such a voxel.
  package func contains(_ x: Int, _ y: Int, _ z: Int) -> Bool {
    x >= 0 && y >= 0 && z >= 0 && x < extents.x && y < extents.y && z < extents.z
  }

  /// The voxel at a position in memory.
  package func voxel(at index: Int) -> SIMD3<Int> {
    let row = index / extents.x
    return SIMD3(index % extents.x, row % extents.y, row / extents.y)
  }

  /// World position of the middle of the box.
  package var centre: SIMD3<Double> {
    affine((SIMD3<Double>(extents) - SIMD3(repeating: 1)) / 2)
  }

  /// The head's standard grid: 160x192x224 voxels of 1 mm, axes L-I-A, in MNI305 space.
  package static let standardHead = Grid(
    extents: SIMD3(160, 192, 224),
    affine: Affine(rows: [[-1, 0, 0, 80], [0, 0, 1, -125], [0, -1, 0, 97]]))

  /// The same box with voxels `factor` times as large along each axis. The last voxel of an axis
  /// may reach beyond the box.
  package func coarsened(by factor: SIMD3<Int>) -> Grid {
    let coarse = (extents &+ factor &- SIMD3(repeating: 1)) / factor
    let f = SIMD3<Double>(factor)
    let shift = (f - SIMD3(repeating: 1)) / 2
    return Grid(
      extents: coarse,
      affine: Affine(
        columns: (affine.columns.0 * f.x, affine.columns.1 * f.y, affine.columns.2 * f.z),
        translation: affine(shift)))
  }
}
