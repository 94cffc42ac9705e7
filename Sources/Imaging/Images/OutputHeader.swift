import CNIfTI

/// Headers of what is written.
enum OutputHeader {
  /// A header for voxels on a grid; `volumes` is `nil` for a 3-D file.
  ///
  /// Where the geometry fields of `like` are valid they are repeated as they stand, so that the
  /// output overlays its input in every program. Else `grid` is stated, in mm.
  static func make(
    grid: Grid, like: ImageHeader?, type: VoxelType, volumes: Int?, description: String
  ) -> NIfTIHeader {
    let extents = [grid.extents.x, grid.extents.y, grid.extents.z]
    let needsSecond = (extents + [volumes ?? 1]).contains { $0 > Int(Int16.max) }
    var fields = NIfTIHeader(blank: needsSecond ? .nifti2 : .nifti1)
    fields.dim = [volumes == nil ? 3 : 4] + extents + [volumes ?? 1, 1, 1, 1]
    fields.datatype = type.rawValue
    fields.bitpix = type.bytes * 8
    fields.descrip = description
    guard let like, like.grid == grid else {
      state(grid, code: 1, in: &fields)
      return fields
    }
    // A scan of 256x256x256x1 voxels gets a label map of that shape.
    if volumes == nil, like.volumes == 1, like.extents.dropFirst(3).allSatisfy({ $0 == 1 }) {
      fields.dim[0] = max(3, like.extents.count)
    }
    guard like.geometryIsValid else {
      state(grid, code: (1...5).contains(like.formCode) ? like.formCode : 2, in: &fields)
      return fields
    }
    let source = like.fields
    for i in 0...3 { fields.pixdim[i] = source.pixdim[i] }
    (fields.qformCode, fields.sformCode) = (source.qformCode, source.sformCode)
    (fields.quaternion, fields.qoffset) = (source.quaternion, source.qoffset)
    fields.srow = source.srow
    if source.xyztUnits & 7 != 0 { fields.xyztUnits = source.xyztUnits }
    // NIfTI-2 holds geometry in double precision, which NIfTI-1 would round.
    if like.format == .nifti2 { fields.version = .nifti2 }
    return fields
  }

  /// States a grid in both forms, or in the sform alone where a qform cannot hold it (a shear).
  private static func state(_ grid: Grid, code: Int, in fields: inout NIfTIHeader) {
    let spacing = grid.spacing
    let rows = grid.affine.rows
    fields.srow = rows
    fields.sformCode = code
    let a = grid.affine.columns
    let cosines = [
      (a.0 * a.1).sum() / (spacing.x * spacing.y), (a.0 * a.2).sum() / (spacing.x * spacing.z),
      (a.1 * a.2).sum() / (spacing.y * spacing.z),
    ]
    for i in 0..<3 { fields.pixdim[i + 1] = spacing[i] }
    guard cosines.allSatisfy({ abs($0) < 1e-4 }) else { return }
    var matrix = nifti_dmat44()
    matrix.m.0 = (rows[0][0], rows[0][1], rows[0][2], rows[0][3])
    matrix.m.1 = (rows[1][0], rows[1][1], rows[1][2], rows[1][3])
    matrix.m.2 = (rows[2][0], rows[2][1], rows[2][2], rows[2][3])
    matrix.m.3 = (0, 0, 0, 1)
    var (b, c, d, x, y, z, dx, dy, dz, sign) = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    nifti_dmat44_to_quatern(matrix, &b, &c, &d, &x, &y, &z, &dx, &dy, &dz, &sign)
    fields.quaternion = SIMD3(b, c, d)
    fields.qoffset = SIMD3(x, y, z)
    fields.pixdim[0] = sign
    fields.qformCode = code
  }
}
