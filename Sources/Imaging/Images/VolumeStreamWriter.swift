import Files

/// Writes a 3-D or 4-D image volume by volume, never more than one in memory, whole or not at all.
package final class VolumeStreamWriter {
  package let grid: Grid
  /// Volumes that must be written before `commit`.
  package let volumes: Int
  private let path: String
  private let type: VoxelType
  private let sink: ImageSink
  private var written = 0

  /// What the header says beside the geometry.
  package struct Labelling: Sendable {
    /// True value of a stored 1.
    package var slope = 1.0
    /// Range that viewers show, in true values; equal numbers for none.
    package var displayRange = (0.0, 0.0)
    /// At most 80 bytes; must contain `segpipe` for the file to be known as our own.
    package var description = "segpipe"

    package init() {}
  }

  /// Starts a file. Its name, `like` and the errors thrown are as for `ImageWriter`.
  ///
  /// `volumes` is `nil` for a 3-D file of one volume. Every volume written must be of `type`. The
  /// gzip `level` goes from 1 (fast) to 9 (small).
  package init(
    _ path: String, grid: Grid, like: ImageHeader? = nil, volumes: Int?, type: VoxelType,
    labelling: Labelling = Labelling(), level: Int = 6
  ) throws {
    self.path = path
    self.grid = grid
    self.volumes = volumes ?? 1
    self.type = type
    var header = OutputHeader.make(
      grid: grid, like: like, type: type, volumes: volumes, description: labelling.description)
    header.slope = labelling.slope
    (header.calMin, header.calMax) = labelling.displayRange
    sink = try ImageSink(path, header: header, level: Int32(min(max(level, 1), 9)))
  }

  /// Appends a volume of `grid.count` stored values. Throws: `ImagingError`, `FileError`.
  package func write<Scalar: VoxelScalar>(_ voxels: [Scalar]) throws {
    guard Scalar.voxelType == type else {
      throw ImagingError.unexpectedType(
        path: path, found: Scalar.voxelType.name, expected: type.name)
    }
    guard voxels.count == grid.count, written < volumes else {
      throw ImagingError.wrongVolume(
        path: path, found: written * grid.count + voxels.count, expected: volumes * grid.count)
    }
    // Every machine that Swift runs on here is little-endian, as the file is.
    try voxels.withUnsafeBytes { try sink.write($0) }
    written += 1
  }

  /// Writes the last bytes, still under a temporary name, so that `commit` needs no more room on the disk.
  /// Throws: `ImagingError`, `FileError`, also when volumes are missing.
  package func finish() throws {
    guard written == volumes else {
      throw ImagingError.wrongVolume(
        path: path, found: written * grid.count, expected: volumes * grid.count)
    }
    try sink.finish()
  }

  /// The whole file, which has no name yet: to be committed with others. Throws: as `finish`.
  package func staged() throws -> AtomicFile {
    try finish()
    return try sink.staged()
  }

  /// Makes the file appear. Throws: `ImagingError`, `FileError`, also when volumes are missing.
  package func commit() throws {
    try finish()
    try sink.commit()
  }
}
