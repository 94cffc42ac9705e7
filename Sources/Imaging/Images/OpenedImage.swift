/// An image whose header has passed the checks, and its voxels' bytes about to be read.
struct OpenedImage {
  let path: String
  let header: ImageHeader
  var findings: [Finding]
  /// Stands at the first byte of the first volume.
  let source: ByteSource
  /// Place of the first volume in the decoded file.
  let dataOffset: Int
  let bigEndian: Bool

  /// Bytes of the decoded file up to the last voxel.
  var neededBytes: Int { dataOffset + header.volumes * header.volumeBytes }

  /// A gzip member of this size or less is held in memory, so that libdeflate can decode it at
  /// once.
  private static let largestInMemory = 512 << 20

  /// Opens a file, reads its header and judges it. Nothing of the voxels' size is allocated.
  ///
  /// Throws: `ImagingError`.
  static func open(_ path: String, _ options: ReadOptions) throws -> OpenedImage {
    let headerPath = try ImagePair.headerPath(of: path)
    let source = try openSource(headerPath)
    let start = try readHeader(source, path, options)
    switch start {
    case .nifti(let fields): return try open(path, headerPath, fields, source, options)
    case .mgh(let header): return try open(path, header, source, options)
    }
  }

  private static func openSource(_ path: String) throws -> ByteSource {
    let file = try InputFile(path)
    if file.isGzip, let size = file.size, size <= largestInMemory {
      _ = try file.loadAll(limit: largestInMemory + 1)
    }
    return try ByteSource(file)
  }

  private enum Start {
    case nifti(NIfTIHeader)
    case mgh(MGHHeader)
  }

  private static func readHeader(
    _ source: ByteSource, _ path: String, _ options: ReadOptions
  ) throws -> Start {
    try withUnsafeTemporaryAllocation(byteCount: 540, alignment: 16) { buffer in
      let first = UnsafeMutableRawBufferPointer(rebasing: buffer.prefix(MGHHeader.size))
      var got = try source.read(into: first)
      if let header = MGHHeader(UnsafeRawBufferPointer(rebasing: buffer.prefix(got))) {
        return .mgh(header)
      }
      got += try source.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[got..<348]))
      var bytes = UnsafeRawBufferPointer(rebasing: buffer.prefix(got))
      var recognised = NIfTIHeader.recognise(bytes)
      if case .tooShort(let expected) = recognised, expected > got, got == 348 {
        got += try source.read(
          into: UnsafeMutableRawBufferPointer(rebasing: buffer[got..<expected]))
        bytes = UnsafeRawBufferPointer(rebasing: buffer.prefix(got))
        recognised = NIfTIHeader.recognise(bytes)
      }
      switch recognised {
      case .header(let fields): return .nifti(fields)
      case .withoutMagic(let fields):
        guard options.allowAnalyze else {
          throw ImagingError.header(path: path, findings: [noMagic(bytes)])
        }
        return .nifti(fields)
      case .tooShort(let expected):
        throw ImagingError.noRoomForHeader(path: path, found: got, expected: expected)
      case .wrongSize(let found): throw ImagingError.header(path: path, findings: [badSize(found)])
      case .notNIfTI:
        let looksLike = ForeignContent(bytes)
        guard got >= 348 || (looksLike != .unknown && looksLike != .zeros) else {
          throw ImagingError.noRoomForHeader(path: path, found: got, expected: 348)
        }
        throw ImagingError.foreign(path: path, looksLike: looksLike)
      }
    }
  }

  private static func noMagic(_ bytes: UnsafeRawBufferPointer) -> Finding {
    let magic = String(decoding: bytes[344..<348].prefix { $0 != 0 }, as: UTF8.self)
    return Finding(
      .error, "magic",
      "the magic is \(magic.debugDescription), expected \"n+1\" or \"ni1\": ANALYZE 7.5 or damaged",
      fix: "ANALYZE has no orientation; with --allow-analyze and --assume-orientation it is read.")
  }

  private static func badSize(_ found: Int) -> Finding {
    Finding(
      .error, "sizeof-hdr", "sizeof_hdr is \(found), expected 348 or 540",
      fix: "The header is damaged: convert the scan again from its source.")
  }

  private static func open(
    _ path: String, _ headerPath: String, _ fields: NIfTIHeader, _ headerSource: ByteSource,
    _ options: ReadOptions
  ) throws -> OpenedImage {
    var findings =
      HeaderChecks.run(fields, options) + namingFindings(headerPath, headerSource, of: path)
    guard findings.errors.isEmpty, let type = VoxelType(rawValue: fields.datatype) else {
      throw ImagingError.header(path: path, findings: findings)
    }
    let dim = fields.dim[0]
    let extents = SIMD3(
      fields.dim[1], dim > 1 ? fields.dim[2] : 1, dim > 2 ? fields.dim[3] : 1)
    let geometry = HeaderGeometry(fields, extents: extents, options)
    findings += geometry.findings
    guard findings.errors.isEmpty else {
      throw ImagingError.header(path: path, findings: findings)
    }
    let format: ImageHeader.Format
    switch fields.version {
    case .analyze: format = .analyze
    case .nifti1: format = .nifti1
    case .nifti2: format = .nifti2
    }
    var source = headerSource
    if !fields.singleFile {
      try headerSource.file.checkUnchanged()
      let voxelPath = try ImagePair.voxelPath(of: headerPath)
      source = try openSource(voxelPath)
      findings += namingFindings(voxelPath, source, of: path)
    }
    let header = ImageHeader(
      format: format, fields: fields, grid: Grid(extents: extents, affine: geometry.affine),
      voxelType: type, volumes: dim > 3 ? fields.dim[4] : 1,
      geometryIsValid: geometry.isVerbatim, formCode: geometry.code,
      isGzipped: source.file.isGzip)
    let offset = fields.usableOffset ?? fields.smallestOffset
    var opened = OpenedImage(
      path: path, header: header, findings: findings, source: source, dataOffset: offset,
      bigEndian: fields.bigEndian)
    try opened.checkRoom(options)
    if fields.singleFile { opened.findings += try Extensions.check(source, fields, upTo: offset) }
    try opened.skipToVoxels()
    return opened
  }

  private static func open(
    _ path: String, _ mgh: MGHHeader, _ source: ByteSource, _ options: ReadOptions
  ) throws -> OpenedImage {
    var fields = mgh.asNIfTI
    // Without a geometry of its own, what is stated holds, not FreeSurfer's stand-in.
    let isAssumed = !mgh.hasGeometry && options.assumedOrientation != nil
    if isAssumed { fields.sformCode = 0 }
    var findings = HeaderChecks.run(fields, options)
    if mgh.voxelType == nil {
      findings = [
        Finding(
          .error, "datatype", "MGH voxel type \(mgh.type) is not one of 0, 1, 3, 4, 10",
          fix: "Convert it with mri_convert first.")
      ]
    }
    guard findings.errors.isEmpty, let type = mgh.voxelType else {
      throw ImagingError.header(path: path, findings: findings)
    }
    if !mgh.hasGeometry && !isAssumed {
      findings.append(
        Finding(
          .warning, "forms", "the header declares no orientation",
          fix: "FreeSurfer's stand-in is assumed: coronal slices, axes L-I-A, voxels of 1 mm."))
    }
    let extents = SIMD3(mgh.extents[0], mgh.extents[1], mgh.extents[2])
    let geometry = HeaderGeometry(fields, extents: extents, options)
    findings += geometry.findings
    guard findings.errors.isEmpty else {
      throw ImagingError.header(path: path, findings: findings)
    }
    let header = ImageHeader(
      format: .mgh, fields: fields, grid: Grid(extents: extents, affine: geometry.affine),
      voxelType: type, volumes: mgh.extents[3], geometryIsValid: false, formCode: geometry.code,
      isGzipped: source.file.isGzip)
    let opened = OpenedImage(
      path: path, header: header, findings: findings, source: source, dataOffset: MGHHeader.size,
      bigEndian: true)
    try opened.checkRoom(options)
    return opened
  }

  /// Holds the name of one file of an image against its content.
  private static func namingFindings(
    _ file: String, _ source: ByteSource, of path: String
  ) -> [Finding] {
    let isNamedGzip = file.lowercased().hasSuffix(".gz")
    guard file != "-", isNamedGzip != source.file.isGzip else { return [] }
    return [
      Finding(
        .warning, "name",
        (file == path ? "" : "\(file) is ")
          + (isNamedGzip ? "named .gz and not gzipped" : "gzipped and not named .gz"),
        fix: "It is read by its content; rename it for other programs.")
    ]
  }

  /// Holds what the header asks for against what the file can contain, and lets the source know it.
  private func checkRoom(_ options: ReadOptions) throws {
    let (bytes, overflow) = header.volumeBytes.multipliedReportingOverflow(by: header.volumes)
    let needed = bytes.addingReportingOverflow(dataOffset)
    guard !overflow, !needed.overflow else {
      throw ImagingError.tooLarge(
        path: path, needed: Int.max, limit: options.maximumBytes, reason: .option)
    }
    source.expected = needed.partialValue
    guard let size = source.file.size else { return }
    // Deflate codes at most 258 bytes in two bits.
    let (most, unbounded) = size.multipliedReportingOverflow(by: source.file.isGzip ? 1032 : 1)
    guard unbounded || needed.partialValue <= most else {
      if source.file.isGzip {
        throw ImagingError.tooLarge(
          path: source.file.path, needed: needed.partialValue, limit: most, reason: .fileSize)
      }
      throw ImagingError.shortData(
        path: source.file.path, found: size, expected: needed.partialValue)
    }
  }

  private func skipToVoxels() throws {
    let rest = dataOffset - source.position
    let passed = try source.skip(rest)
    guard passed == rest else {
      throw ImagingError.shortData(
        path: source.file.path, found: source.position, expected: neededBytes)
    }
  }
}
