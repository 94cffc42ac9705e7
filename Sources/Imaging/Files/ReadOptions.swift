/// How doubtful files are read.
package struct ReadOptions: Sendable {
  /// Which of a header's two geometries is believed.
  package enum Transform: String, Sendable, CaseIterable {
    /// The sform where it is valid and agrees with the voxel size, else the qform.
    case automatic
    case qform
    case sform
  }

  /// The volume of a 4-D image to read, from 0. `nil`: a 4-D image of several volumes is refused.
  package var volumeIndex: Int?
  package var xform = Transform.automatic
  /// Axis codes such as `RAS` for a file that declares no orientation. `nil`: `LAS`, as nibabel.
  package var assumedOrientation: String?
  /// Whether ANALYZE 7.5 files, which have no orientation, are read.
  package var allowAnalyze = false
  /// Whether images of few slices, constant or mostly NaN content, or implausible voxel sizes are
  /// read.
  package var force = false
  /// Whether a header's broken data offset is replaced by the only one possible.
  package var repair = false
  /// Largest size of the decoded voxels, in bytes.
  package var maximumBytes = 16 << 30

  package init() {}
}
