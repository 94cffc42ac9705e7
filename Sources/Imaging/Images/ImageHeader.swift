/// What a file said of itself that an output on the same grid repeats.
package struct ImageHeader: Sendable, Equatable {
  package enum Format: String, Sendable {
    case analyze = "ANALYZE 7.5"
    case nifti1 = "NIfTI-1"
    case nifti2 = "NIfTI-2"
    case mgh = "MGH"
  }

  package let format: Format
  /// The NIfTI fields as read. For MGH: those of a NIfTI-1 header that states the same.
  package let fields: NIfTIHeader
  /// Voxels of one volume, and where they lie.
  package let grid: Grid
  package let voxelType: VoxelType
  /// Volumes in the file.
  package let volumes: Int
  /// Whether the geometry fields state `grid` and may be copied as they stand.
  package let geometryIsValid: Bool
  /// Form code of the geometry used: 1 scanner, 2 aligned, 3 Talairach, 4 MNI152, 5 other; 0 for
  /// none.
  package let formCode: Int
  /// Whether the file is gzipped.
  package var isGzipped = false

  /// Extents of all declared dimensions.
  package var extents: [Int] { Array(fields.dim[1...max(1, min(7, fields.dim[0]))]) }

  /// Bytes of one volume's voxels in the file.
  package var volumeBytes: Int { grid.count * voxelType.bytes }

  /// Axis codes of the closest orientation, such as `LIA`.
  package var orientation: Orientation { Orientation(closestTo: grid.affine) }
}

/// A scan as it was read.
package struct ScanImage: Sendable {
  /// Scaled intensities. Not-a-number stays where the file had a value that is not finite.
  package var volume: Volume<Float>
  package let header: ImageHeader
  package let findings: [Finding]
}

/// A label map as it was read. All values are at least 0.
package struct LabelImage: Sendable {
  package var volume: Volume<Int32>
  package let header: ImageHeader
  package let findings: [Finding]
}
