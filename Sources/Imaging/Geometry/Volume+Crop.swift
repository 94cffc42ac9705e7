extension Volume where Scalar: BitwiseCopyable {
  /// The box of `extents` voxels whose first voxel is voxel `origin` of this volume.
  ///
  /// Voxels that reach beyond this volume get `fill`. Places in world space stay as they are.
  package func cropped(
    from origin: SIMD3<Int>, extents: SIMD3<Int>, fill: Scalar
  ) -> Volume<Scalar> {
    let target = Grid(
      extents: extents,
      affine: Affine(
        columns: grid.affine.columns, translation: grid.affine(SIMD3<Double>(origin))))
    var result = Volume(grid: target, repeating: fill)
    let first = max(0, -origin.x)
    let last = min(extents.x, grid.extents.x - origin.x)
    guard first < last else { return result }
    for z in 0..<extents.z where (0..<grid.extents.z).contains(z + origin.z) {
      for y in 0..<extents.y where (0..<grid.extents.y).contains(y + origin.y) {
        let from = grid.index(first + origin.x, y + origin.y, z + origin.z)
        let to = target.index(first, y, z)
        result.voxels.replaceSubrange(
          to..<to + last - first, with: voxels[from..<from + last - first])
      }
    }
    return result
  }
}
