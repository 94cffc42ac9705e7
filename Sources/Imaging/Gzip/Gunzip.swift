import CDeflate

/// Undoes gzip as a stream, member after member, and checks all that the format lets one check.
///
/// zlib inflates; the container is read here, because the usual readers pass a file whose trailer
/// is cut off, and because the checksum by libdeflate is several times as fast as zlib's.
final class Gunzip {
  private let file: InputFile
  private var stream = z_stream()
  private let input: RawBytes
  private var inputUsed = 0
  private var inputEnd = 0
  private var inMember = false
  private var ended = false
  private var checksum: UInt32 = 0
  private var memberLength = 0
  /// Decoded bytes of all members.
  private(set) var decoded = 0
  /// Whether bytes that are no gzip member follow the last member, as gzip(1) warns of.
  private(set) var trailingGarbage = false
  /// Decoded bytes that the caller expects, for messages alone.
  var expected: Int?

  /// Throws: `ImagingError`.
  init(_ file: InputFile) throws {
    self.file = file
    input = try RawBytes(count: 1 << 18)
    guard
      inflateInit2_(&stream, -15, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
    else { throw ImagingError.outOfMemory(bytes: 1 << 16) }
  }

  deinit { inflateEnd(&stream) }

  /// The next decoded bytes; 0 at the end of the last member.
  func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    while !ended {
      if !inMember {
        try openMember()
        continue
      }
      let got = try inflateSome(buffer)
      if got > 0 { return got }
    }
    return 0
  }

  private func inflateSome(_ buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    if inputUsed == inputEnd { try refill() }
    let available = inputEnd - inputUsed
    stream.next_in = (input.base + inputUsed).assumingMemoryBound(to: UInt8.self)
    stream.avail_in = UInt32(available)
    let room = min(buffer.count, 1 << 30)
    stream.next_out = buffer.baseAddress?.assumingMemoryBound(to: UInt8.self)
    stream.avail_out = UInt32(room)
    let result = inflate(&stream, Z_NO_FLUSH)
    inputUsed += available - Int(stream.avail_in)
    let got = room - Int(stream.avail_out)
    checksum = libdeflate_crc32(checksum, buffer.baseAddress, got)
    memberLength += got
    decoded += got
    switch result {
    case Z_STREAM_END: try closeMember()
    case Z_OK: break
    case Z_BUF_ERROR where available == 0: throw fault(.truncated)
    case Z_BUF_ERROR: break
    case Z_MEM_ERROR: throw ImagingError.outOfMemory(bytes: 1 << 16)
    default: throw fault(.stream)
    }
    return got
  }

  /// Reads a member's header (RFC 1952), or notes the end of the file or what follows it.
  private func openMember() throws {
    guard let first = try nextByte() else {
      ended = true
      return
    }
    let isFirst = decoded == 0 && !memberSeen
    guard first == 0x1f, try nextByte() == 0x8b else {
      trailingGarbage = true
      ended = true
      return
    }
    guard try nextByte() == 8, let flags = try nextByte(), flags & 0xe0 == 0 else {
      // After a whole member, two bytes that look like another are not yet a damaged one.
      guard isFirst else {
        trailingGarbage = true
        ended = true
        return
      }
      throw fault(.header)
    }
    try pass(6)
    if flags & 4 != 0 {
      let low = try headerByte()
      try pass(Int(low) + Int(try headerByte()) << 8)
    }
    if flags & 8 != 0 { while try headerByte() != 0 {} }
    if flags & 16 != 0 { while try headerByte() != 0 {} }
    if flags & 2 != 0 { try pass(2) }
    inflateReset(&stream)
    checksum = 0
    memberLength = 0
    inMember = true
    memberSeen = true
  }

  private var memberSeen = false

  private func closeMember() throws {
    var trailer: [UInt8] = []
    while trailer.count < 8 {
      guard let byte = try nextByte() else { throw fault(.trailerTruncated) }
      trailer.append(byte)
    }
    func word(_ at: Int) -> UInt32 {
      (0..<4).reduce(0) { $0 | UInt32(trailer[at + $1]) << UInt32(8 * $1) }
    }
    guard word(0) == checksum else {
      throw fault(.checksum(found: checksum, expected: word(0)))
    }
    let length = UInt32(truncatingIfNeeded: memberLength)
    guard word(4) == length else {
      throw fault(.length(found: length, expected: word(4)))
    }
    inMember = false
  }

  private func headerByte() throws -> UInt8 {
    guard let byte = try nextByte() else { throw fault(.header) }
    return byte
  }

  private func pass(_ count: Int) throws {
    for _ in 0..<count { _ = try headerByte() }
  }

  private func nextByte() throws -> UInt8? {
    if inputUsed == inputEnd { try refill() }
    guard inputUsed < inputEnd else { return nil }
    inputUsed += 1
    return input.buffer[inputUsed - 1]
  }

  private func refill() throws {
    inputUsed = 0
    inputEnd = try file.read(into: input.buffer)
  }

  private func fault(_ fault: GzipFault) -> ImagingError {
    .gzip(path: file.path, fault: fault, decoded: decoded, expected: expected)
  }
}
