/// The volumes of a 3-D or 4-D image one after the other, never more than one in memory.
package final class VolumeStream {
  package let header: ImageHeader
  package private(set) var findings: [Finding]
  private let opened: OpenedImage
  /// Volumes handed out.
  private var used = 0

  /// Opens and checks; no voxel is read yet. Throws: `ImagingError`.
  package init(_ path: String, _ options: ReadOptions = ReadOptions()) throws {
    opened = try OpenedImage.open(path, options)
    header = opened.header
    findings = opened.findings
  }

  /// Volumes in the file.
  package var volumes: Int { header.volumes }
  /// The grid of each volume.
  package var grid: Grid { header.grid }

  /// The next volume's voxels as stored, unscaled; `nil` after the last.
  ///
  /// Reading the last also verifies the container to its end.
  /// Throws: `ImagingError`; `.unexpectedType` when the file's voxels are of another type.
  package func next<Scalar: VoxelScalar>(as _: Scalar.Type) throws -> Volume<Scalar>? {
    guard header.voxelType == Scalar.voxelType else {
      throw ImagingError.unexpectedType(
        path: opened.path, found: header.voxelType.name, expected: Scalar.voxelType.name)
    }
    guard used < volumes else { return nil }
    var failure: (any Error)?
    let voxels = [Scalar](unsafeUninitializedCapacity: grid.count) { buffer, filled in
      do {
        try read(into: UnsafeMutableRawBufferPointer(buffer))
        filled = grid.count
      } catch { failure = error }
    }
    if let failure { throw failure }
    return Volume(grid: grid, voxels: voxels)
  }

  /// The next volume's voxels of any type, scaled; not-a-number where the file's value is not
  /// finite.
  ///
  /// `nil` after the last. Throws: `ImagingError`.
  package func nextScaled() throws -> Volume<Float>? {
    guard used < volumes else { return nil }
    let bytes = try RawBytes(count: header.volumeBytes)
    try read(into: bytes.buffer)
    let (values, _) = VoxelDecoder.intensities(
      UnsafeRawBufferPointer(bytes.buffer), header.voxelType, count: grid.count,
      scaling: header.fields.scaling)
    return Volume(grid: grid, voxels: values)
  }

  private func read(into buffer: UnsafeMutableRawBufferPointer) throws {
    let target = UnsafeMutableRawBufferPointer(rebasing: buffer.prefix(header.volumeBytes))
    guard try opened.source.read(into: target) == target.count else {
      throw VoxelBytes.short(opened)
    }
    VoxelDecoder.swap(target, header.voxelType, bigEndian: opened.bigEndian)
    used += 1
    guard used == volumes else { return }
    let ending = try opened.source.finish(tolerance: VoxelBytes.tolerance(opened.neededBytes))
    findings += VoxelBytes.trailing(
      ending.extraBytes, garbage: ending.trailingGarbage, header)
  }
}
