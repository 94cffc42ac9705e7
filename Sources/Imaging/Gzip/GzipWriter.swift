import CDeflate
import Files
import Parallel

/// Writes one gzip member, compressed by several threads.
///
/// The content is cut every MiB, whatever the number of threads, and each block is deflated on its
/// own and ended on a byte boundary: the same content gives the same bytes. No time, no name: RFC
/// 1952 fields MTIME 0 and OS 255 (unknown). One member, not one per block: readers in web browsers
/// stop after the first.
final class GzipWriter {
  private let file: AtomicFile
  private let level: Int32
  private let pending: RawBytes
  private var filled = 0
  private var checksum: UInt32 = 0
  private var length = 0

  private static let block = 1 << 20
  private static let blocksAtOnce = 8

  /// Starts a member, of level 1 (fast) to 9 (small). Throws: `ImagingError`, `FileError`.
  init(_ file: AtomicFile, level: Int32 = 6) throws {
    self.file = file
    self.level = level
    pending = try RawBytes(count: Self.block * Self.blocksAtOnce)
    try file.write([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255])
  }

  /// Throws: `ImagingError`, `FileError`.
  func write(_ bytes: UnsafeRawBufferPointer) throws {
    checksum = libdeflate_crc32(checksum, bytes.baseAddress, bytes.count)
    length += bytes.count
    var used = 0
    while used < bytes.count {
      let count = min(bytes.count - used, pending.count - filled)
      UnsafeMutableRawBufferPointer(rebasing: pending.buffer[filled..<filled + count])
        .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[used..<used + count]))
      used += count
      filled += count
      if filled == pending.count { try compressPending() }
    }
  }

  /// Ends the member. The file is not committed. Throws: `ImagingError`, `FileError`.
  func finish() throws {
    try compressPending()
    // An empty last block, then checksum and length.
    var ending: [UInt8] = [3, 0]
    for word in [checksum, UInt32(truncatingIfNeeded: length)] {
      ending += (0..<4).map { UInt8(truncatingIfNeeded: word >> UInt32(8 * $0)) }
    }
    try file.write(ending)
  }

  private func compressPending() throws {
    nonisolated(unsafe) let content = UnsafeRawBufferPointer(pending.buffer)
    let (count, level) = (filled, level)
    let blocks = Parallel.map((count + Self.block - 1) / Self.block) { number in
      let range = number * Self.block..<min(count, (number + 1) * Self.block)
      return Self.deflateBlock(UnsafeRawBufferPointer(rebasing: content[range]), level)
    }
    filled = 0
    for block in blocks {
      guard let block else { throw ImagingError.outOfMemory(bytes: 2 * Self.block) }
      try file.write(UnsafeRawBufferPointer(block.buffer))
    }
  }

  /// One block, ended by an empty stored block on a byte boundary; `nil` when memory is short.
  private static func deflateBlock(_ bytes: UnsafeRawBufferPointer, _ level: Int32) -> RawBytes? {
    var stream = z_stream()
    let size = Int32(MemoryLayout<z_stream>.size)
    guard
      deflateInit2_(
        &stream, level, Z_DEFLATED, -15, 9, Z_DEFAULT_STRATEGY, ZLIB_VERSION, size) == Z_OK
    else { return nil }
    defer { deflateEnd(&stream) }
    let bound = Int(deflateBound(&stream, UInt(bytes.count))) + 16
    guard let output = try? RawBytes(count: bound) else { return nil }
    stream.next_in = UnsafeMutablePointer(
      mutating: bytes.baseAddress?.assumingMemoryBound(to: UInt8.self))
    stream.avail_in = UInt32(bytes.count)
    stream.next_out = output.base.assumingMemoryBound(to: UInt8.self)
    stream.avail_out = UInt32(bound)
    _ = deflate(&stream, Z_SYNC_FLUSH)
    guard (try? output.resize(to: bound - Int(stream.avail_out))) != nil else { return nil }
    return output
  }
}
