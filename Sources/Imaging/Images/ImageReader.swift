/// Reads scans and label maps: NIfTI-1, NIfTI-2, MGH, and ANALYZE 7.5 where allowed; gzipped or
/// not, either byte order, one file or two.
package enum ImageReader {
  /// Reads a scan, scaled. Values that are not finite become not-a-number and are counted in a
  /// finding.
  ///
  /// Throws: `ImagingError`, also when the content has no contrast or is mostly not finite
  /// (`ReadOptions.force` reads it all the same).
  package static func readScan(
    _ path: String, _ options: ReadOptions = ReadOptions()
  ) throws -> ScanImage {
    var opened = try OpenedImage.open(path, options)
    try checkSlices(opened, options)
    let raw = try VoxelBytes.read(&opened, options)
    VoxelDecoder.swap(raw.voxels, opened.header.voxelType, bigEndian: opened.bigEndian)
    try RawBytes.checkAvailable(4 * opened.header.grid.count)
    let (values, statistics) = VoxelDecoder.intensities(
      UnsafeRawBufferPointer(raw.voxels), opened.header.voxelType, count: opened.header.grid.count,
      scaling: opened.header.fields.scaling)
    let findings =
      opened.findings
      + ContentChecks.scan(statistics, count: values.count, opened.header, options)
    guard findings.errors.isEmpty else {
      throw ImagingError.content(path: path, findings: findings)
    }
    return ScanImage(
      volume: Volume(grid: opened.header.grid, voxels: values), header: opened.header,
      findings: findings)
  }

  /// Reads a label map: whole numbers from 0, of any voxel type.
  ///
  /// Throws: `ImagingError`; a value that is no label is named with its voxel.
  package static func readLabels(
    _ path: String, _ options: ReadOptions = ReadOptions()
  ) throws -> LabelImage {
    var opened = try OpenedImage.open(path, options)
    let raw = try VoxelBytes.read(&opened, options)
    VoxelDecoder.swap(raw.voxels, opened.header.voxelType, bigEndian: opened.bigEndian)
    try RawBytes.checkAvailable(4 * opened.header.grid.count)
    let (values, bad) = VoxelDecoder.labels(
      UnsafeRawBufferPointer(raw.voxels), opened.header.voxelType, count: opened.header.grid.count,
      scaling: opened.header.fields.scaling)
    let findings = opened.findings + ContentChecks.labels(bad, opened.header)
    guard findings.errors.isEmpty else {
      throw ImagingError.content(path: path, findings: findings)
    }
    return LabelImage(
      volume: Volume(grid: opened.header.grid, voxels: values), header: opened.header,
      findings: findings)
  }

  /// Reads a header and judges it, without the voxels. Throws: `ImagingError`.
  package static func readHeader(
    _ path: String, _ options: ReadOptions = ReadOptions()
  ) throws -> ImageHeader {
    try OpenedImage.open(path, options).header
  }

  /// Throws `ImagingError` where no file that may be read is at a path. Reads nothing: a pipe keeps its
  /// content.
  package static func checkPresence(_ path: String) throws { try InputFile.check(path) }

  /// Fewest slices along any axis that a scan is worth segmenting with.
  static let fewestSlices = 10

  private static func checkSlices(_ opened: OpenedImage, _ options: ReadOptions) throws {
    let found = ContentChecks.slices(opened.header, options)
    guard found.errors.isEmpty else {
      throw ImagingError.header(path: opened.path, findings: opened.findings + found)
    }
  }
}
