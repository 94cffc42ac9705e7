/// The content of a file from front to back, whether or not it is gzipped.
///
/// Gzip is told by its first two bytes, never by the file's name.
final class ByteSource {
  let file: InputFile
  private let gunzip: Gunzip?
  /// Bytes handed out so far.
  private(set) var position = 0

  /// Decoded bytes that the file should hold, for messages alone.
  var expected: Int? {
    get { gunzip?.expected }
    set { gunzip?.expected = newValue }
  }

  init(_ file: InputFile) throws {
    self.file = file
    gunzip = file.isGzip ? try Gunzip(file) : nil
  }

  /// Fills the buffer, or as much of it as there is. Throws: `ImagingError`.
  func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    var filled = 0
    while filled < buffer.count {
      let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
      let got = try gunzip?.read(into: rest) ?? file.read(into: rest)
      if got == 0 { break }
      filled += got
      position += got
    }
    return filled
  }

  /// Passes over bytes; returns how many there were. Throws: `ImagingError`.
  func skip(_ count: Int) throws -> Int {
    try withUnsafeTemporaryAllocation(byteCount: 1 << 16, alignment: 16) { buffer in
      var passed = 0
      while passed < count {
        let part = UnsafeMutableRawBufferPointer(
          rebasing: buffer.prefix(min(buffer.count, count - passed)))
        let got = try read(into: part)
        if got == 0 { break }
        passed += got
      }
      return passed
    }
  }

  /// What a container's end told.
  struct Ending {
    /// Decoded bytes that were left.
    var extraBytes = 0
    /// Whether bytes that are no gzip member follow the last member.
    var trailingGarbage = false
  }

  /// Reads to the end, so that every checksum is verified.
  ///
  /// Up to `tolerance` bytes more than were asked for are still a file with something behind its
  /// data, and not a decompression bomb.
  ///
  /// Throws: `ImagingError`.
  func finish(tolerance: Int) throws -> Ending {
    let before = position
    // One byte at least: it makes the decoder reach and check the trailer.
    while try skip(1 << 20) > 0 {
      if position - before > tolerance {
        throw ImagingError.overlong(path: file.path, expected: before)
      }
    }
    try file.checkUnchanged()
    return Ending(
      extraBytes: position - before, trailingGarbage: gunzip?.trailingGarbage ?? false)
  }
}
