/// What a file is, and everything that its checks found. Made without failing.
package struct Inspection: Sendable {
  package let path: String
  /// `nil` when the file could not be read so far.
  package let header: ImageHeader?
  package let findings: [Finding]
  /// Why the file is refused; `nil` for one that can be read as a scan or as a label map.
  package let error: ImagingError?
  /// Smallest and largest finite value, scaled; `nil` when the voxels could not be read.
  package let range: ClosedRange<Float>?
  /// Voxels that are not finite.
  package let notFinite: Int
  /// Whether every value is a whole number from 0, as in a label map.
  package let isWhole: Bool

  fileprivate init(
    _ path: String, header: ImageHeader? = nil, findings: [Finding] = [],
    error: ImagingError? = nil, range: ClosedRange<Float>? = nil, notFinite: Int = 0,
    isWhole: Bool = false
  ) {
    self.path = path
    self.header = header
    self.findings = findings
    self.error = error
    self.range = range
    self.notFinite = notFinite
    self.isWhole = isWhole
  }
}

extension ImageReader {
  /// Reads a whole file, header, container and voxels, and says what it is.
  ///
  /// Of several volumes the first, or the one that the options name, is looked at, the others are only
  /// decoded. Where every value may be a label, a constant value or few slices are no error.
  package static func inspect(_ path: String, _ options: ReadOptions = ReadOptions()) -> Inspection
  {
    var header: ImageHeader?
    do {
      var opened = try OpenedImage.open(path, options)
      header = opened.header
      var chosen = options
      chosen.volumeIndex = options.volumeIndex ?? 0
      let raw = try VoxelBytes.read(&opened, chosen)
      return try inspect(raw, opened, options)
    } catch let error as ImagingError {
      var findings: [Finding] = []
      switch error {
      case .header(_, let found), .content(_, let found): findings = found
      default: break
      }
      return Inspection(path, header: header, findings: findings, error: error)
    } catch {
      return Inspection(path, header: header, error: .file(.readFailed(path: path, code: 0)))
    }
  }

  private static func inspect(
    _ raw: VoxelBytes, _ opened: OpenedImage, _ options: ReadOptions
  ) throws -> Inspection {
    let header = opened.header
    VoxelDecoder.swap(raw.voxels, header.voxelType, bigEndian: opened.bigEndian)
    let voxels = UnsafeRawBufferPointer(raw.voxels)
    // Each of the two arrays is let go of at once.
    try RawBytes.checkAvailable(4 * header.grid.count)
    let (_, seen) = VoxelDecoder.intensities(
      voxels, header.voxelType, count: header.grid.count, scaling: header.fields.scaling)
    let (_, bad) = VoxelDecoder.labels(
      voxels, header.voxelType, count: header.grid.count, scaling: header.fields.scaling)
    let asScan =
      ContentChecks.slices(header, options)
      + ContentChecks.scan(seen, count: header.grid.count, header, options)
    var findings = opened.findings + (bad == nil ? asScan.map(asLabels) : asScan)
    if header.volumes > 1 {
      findings.append(
        options.volumeIndex == nil
          ? ContentChecks.severalVolumes(header)
          : Finding(
            .note, "volumes", "\(header.volumes) volumes in one file",
            fix: "Only the one that --volume names is looked at."))
    }
    let range = seen.minimum <= seen.maximum ? seen.minimum...seen.maximum : nil
    return Inspection(
      opened.path, header: header, findings: findings,
      error: findings.errors.isEmpty ? nil : .content(path: opened.path, findings: findings),
      range: range, notFinite: seen.notANumber + seen.infinite, isWhole: bad == nil)
  }

  /// What refuses a scan and not a label map, said of a file that may be either.
  private static func asLabels(_ finding: Finding) -> Finding {
    guard finding.level == .error else { return finding }
    return Finding(
      .warning, finding.check, finding.message,
      fix: "A label map is read all the same; a scan is refused without --force.")
  }
}
