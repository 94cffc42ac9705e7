/// FreeSurfer's volume header: 284 bytes, big-endian, voxels behind it.
///
/// Source: the MGH/MGZ format page of FreeSurfer and nibabel's `freesurfer/mghformat.py`.
struct MGHHeader {
  static let size = 284

  let version: Int
  /// Width, height, depth, frames.
  let extents: [Int]
  let type: Int
  let hasGeometry: Bool
  let delta: SIMD3<Double>
  /// Columns: directions of the voxel axes.
  let directions: [SIMD3<Double>]
  /// World position of voxel extents/2.
  let centre: SIMD3<Double>

  /// `nil` when the bytes do not begin like an MGH file.
  init?(_ bytes: UnsafeRawBufferPointer) {
    guard bytes.count >= Self.size else { return nil }
    let source = HeaderBytes(bytes: bytes, bigEndian: true)
    version = source.int32(0)
    // One version was ever made. The type is asked for too, since four bytes alone are weak
    // evidence.
    guard version == 1, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10].contains(source.int32(20)) else {
      return nil
    }
    extents = (0..<4).map { source.int32(4 + 4 * $0) }
    type = source.int32(20)
    hasGeometry = source.int16(28) > 0
    guard hasGeometry else {
      // FreeSurfer's stand-in: coronal slices of 1 mm.
      delta = SIMD3(repeating: 1)
      directions = [SIMD3(-1, 0, 0), SIMD3(0, 0, -1), SIMD3(0, 1, 0)]
      centre = .zero
      return
    }
    delta = SIMD3(source.float(30), source.float(34), source.float(38))
    directions = (0..<3).map { axis in
      SIMD3(
        source.float(42 + 12 * axis), source.float(46 + 12 * axis), source.float(50 + 12 * axis))
    }
    centre = SIMD3(source.float(78), source.float(82), source.float(86))
  }

  var voxelType: VoxelType? {
    switch type {
    case 0: .uint8
    case 1: .int32
    case 3: .float32
    case 4: .int16
    case 10: .uint16
    default: nil
    }
  }

  /// Voxel indices to scanner millimetres.
  var affine: Affine {
    let columns = (directions[0] * delta.x, directions[1] * delta.y, directions[2] * delta.z)
    let middle = SIMD3(Double(extents[0]), Double(extents[1]), Double(extents[2])) / 2
    let turned = Affine(columns: columns, translation: .zero)
    return Affine(columns: columns, translation: centre - turned.linear(middle))
  }

  /// The same in the fields of a NIfTI-1 header, for the checks and for outputs.
  var asNIfTI: NIfTIHeader {
    var fields = NIfTIHeader(blank: .nifti1)
    fields.bigEndian = true
    let used = extents[3] == 1 ? 3 : 4
    fields.dim = [used] + extents + [1, 1, 1]
    fields.datatype = voxelType?.rawValue ?? 0
    fields.bitpix = (voxelType?.bytes ?? 0) * 8
    fields.pixdim = [1, delta.x, delta.y, delta.z, 1, 1, 1, 1]
    fields.voxOffset = Double(Self.size)
    fields.singleFile = false
    fields.sformCode = 1
    fields.srow = affine.rows
    return fields
  }
}
