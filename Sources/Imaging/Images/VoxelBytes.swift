/// The bytes of voxels, of one volume or of all, decoded and with the container checked to its end.
struct VoxelBytes: Sendable {
  private let memory: RawBytes
  private let offset: Int
  private let count: Int

  /// The voxels, as they stand in the file. Valid as long as this value is.
  var voxels: UnsafeMutableRawBufferPointer {
    UnsafeMutableRawBufferPointer(rebasing: memory.buffer[offset..<offset + count])
  }

  /// Bytes behind the voxels that are still taken for a footer or padding, not for a bomb.
  static func tolerance(_ needed: Int) -> Int { max(needed, 64 << 20) }

  /// Reads the only volume, or the one that the options name. Adds what the container's end showed.
  ///
  /// Throws: `ImagingError`.
  static func read(_ opened: inout OpenedImage, _ options: ReadOptions) throws -> VoxelBytes {
    let volume = try chosenVolume(opened, options)
    guard opened.header.volumes > 1 else { return try readAll(&opened) }
    return try readStream(&opened, volumes: volume..<volume + 1)
  }

  /// Reads all volumes, which then lie one after the other. Adds what the container's end showed.
  ///
  /// Throws: `ImagingError`.
  static func readAll(_ opened: inout OpenedImage) throws -> VoxelBytes {
    guard let whole = try readWhole(opened) else {
      return try readStream(&opened, volumes: 0..<opened.header.volumes)
    }
    opened.findings += trailing(
      whole.memory.count - opened.neededBytes, garbage: false, opened.header)
    return whole
  }

  private static func readStream(
    _ opened: inout OpenedImage, volumes: Range<Int>
  ) throws -> VoxelBytes {
    let bytes = opened.header.volumeBytes
    let source = opened.source
    let before = volumes.lowerBound * bytes
    guard try source.skip(before) == before else {
      throw short(opened)
    }
    let memory = try readGrowing(source, volumes.count * bytes, opened)
    let after = (opened.header.volumes - volumes.upperBound) * bytes
    guard try source.skip(after) == after else { throw short(opened) }
    let ending = try source.finish(tolerance: tolerance(opened.neededBytes))
    opened.findings += trailing(
      ending.extraBytes, garbage: ending.trailingGarbage, opened.header)
    return VoxelBytes(memory: memory, offset: 0, count: memory.count)
  }

  /// What follows the voxels, in words. FreeSurfer keeps scan parameters there.
  static func trailing(_ extra: Int, garbage: Bool, _ header: ImageHeader) -> [Finding] {
    var findings: [Finding] = []
    if extra > 0, header.format != .mgh {
      findings.append(
        Finding(
          .warning, "extra-bytes", "\(extra) bytes follow the last voxel",
          fix: "They are left out; check that the extents are right."))
    }
    if garbage {
      findings.append(
        Finding(
          .warning, "trailing-garbage", "bytes that are not gzip follow the compressed data",
          fix: "They are left out, as gzip does."))
    }
    return findings
  }

  static func short(_ opened: OpenedImage) -> ImagingError {
    .shortData(
      path: opened.source.file.path, found: opened.source.position, expected: opened.neededBytes)
  }

  private static func chosenVolume(_ opened: OpenedImage, _ options: ReadOptions) throws -> Int {
    let volumes = opened.header.volumes
    if let index = options.volumeIndex {
      guard (0..<volumes).contains(index) else {
        throw ImagingError.header(
          path: opened.path,
          findings: opened.findings + [
            Finding(
              .error, "volumes", "volume \(index) was asked for, of \(volumes) (counted from 0)",
              fix: "Give a number from 0 to \(volumes - 1).")
          ])
      }
      return index
    }
    guard volumes == 1 else {
      throw ImagingError.header(
        path: opened.path,
        findings: opened.findings + [ContentChecks.severalVolumes(opened.header)])
    }
    return 0
  }

  /// Decodes all of a gzip file in one go; `nil` when it is no such file or not exactly right.
  private static func readWhole(_ opened: OpenedImage) throws -> VoxelBytes? {
    let file = opened.source.file
    guard file.isGzip, let compressed = file.loaded else { return nil }
    // The last four bytes tell the decoded length, unless there are several members. A length far
    // from what the header needs is left to the stream, which allocates nothing ahead of the data.
    let length = HeaderBytes(bytes: compressed, bigEndian: false).integer(
      compressed.count - 4, UInt32.self)
    let needed = opened.neededBytes
    let extra = Int(length) - needed
    let isModest = needed <= 64 << 20 || needed / 64 <= compressed.count
    guard isModest, (0...1 << 20).contains(extra) else { return nil }
    let memory = try RawBytes(count: needed + extra)
    guard WholeGunzip.decode(compressed, into: memory.buffer) else { return nil }
    try file.checkUnchanged()
    return VoxelBytes(
      memory: memory, offset: opened.dataOffset,
      count: opened.header.volumes * opened.header.volumeBytes)
  }

  /// Reads from the stream into memory that grows with what has arrived.
  private static func readGrowing(
    _ source: ByteSource, _ bytes: Int, _ opened: OpenedImage
  ) throws -> RawBytes {
    // A plain file was seen to be long enough; for all else the header's word is not.
    let isPlain = source.file.size != nil && !source.file.isGzip
    let memory = try RawBytes(count: isPlain ? bytes : min(bytes, 32 << 20))
    var filled = 0
    while true {
      let room = UnsafeMutableRawBufferPointer(rebasing: memory.buffer[filled...])
      filled += try source.read(into: room)
      guard filled == memory.count else { throw short(opened) }
      if filled == bytes { return memory }
      try memory.resize(to: min(bytes, memory.count * 2))
    }
  }
}
