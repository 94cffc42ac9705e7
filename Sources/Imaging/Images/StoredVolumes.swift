/// All volumes of a 3-D or 4-D image in memory, unscaled, as its file stores them.
package struct StoredVolumes<Scalar: VoxelScalar>: Sendable {
  package let header: ImageHeader
  private let bytes: VoxelBytes

  /// Reads an image and verifies its container to the end.
  ///
  /// Throws: `ImagingError`; `.unexpectedType` when the file's voxels are of another type.
  package init(_ path: String, _ options: ReadOptions = ReadOptions()) throws {
    var opened = try OpenedImage.open(path, options)
    header = opened.header
    guard header.voxelType == Scalar.voxelType else {
      throw ImagingError.unexpectedType(
        path: path, found: header.voxelType.name, expected: Scalar.voxelType.name)
    }
    bytes = try VoxelBytes.readAll(&opened)
    VoxelDecoder.swap(bytes.voxels, header.voxelType, bigEndian: opened.bigEndian)
  }

  /// Volumes in the file.
  package var count: Int { header.volumes }
  /// The grid of each volume.
  package var grid: Grid { header.grid }

  /// Lends the voxels, one volume after the other.
  package func withVoxels<Result>(
    _ body: (UnsafeBufferPointer<Scalar>) throws -> Result
  ) rethrows -> Result {
    try withExtendedLifetime(bytes) {
      try body(UnsafeBufferPointer(bytes.voxels.bindMemory(to: Scalar.self)))
    }
  }
}
