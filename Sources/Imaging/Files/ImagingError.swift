import Files

/// Everything that reading an image can fail with, and writing one beside `FileError`. Values only; the
/// words are elsewhere.
package enum ImagingError: Error, Equatable, Sendable {
  // What was to be read.

  /// A fault of the file as such.
  case file(FileError)
  /// The path is a folder.
  case directory(path: String)
  /// The path is a terminal, a socket or another device that holds no file.
  case notAFile(path: String)
  case empty(path: String)
  /// Too few bytes for any header.
  case noRoomForHeader(path: String, found: Int, expected: Int)
  /// The content is not an image of a known format.
  case foreign(path: String, looksLike: ForeignContent)
  /// The header's checks refused it. At least one finding is an error.
  case header(path: String, findings: [Finding])
  /// A two-file image whose other half is not there.
  case missingPart(path: String, expected: String)
  /// The gzip container is damaged. `expected` counts decoded bytes, where a header told them.
  case gzip(path: String, fault: GzipFault, decoded: Int, expected: Int?)
  /// Fewer bytes than the header asks for.
  case shortData(path: String, found: Int, expected: Int)
  /// The header asks for more than the file can hold, or than the limit allows.
  case tooLarge(path: String, needed: Int, limit: Int, reason: SizeLimit)
  /// Far more bytes follow than the header asks for: a decompression bomb or a wrong header.
  case overlong(path: String, expected: Int)
  /// The voxels' values refuse it. At least one finding is an error.
  case content(path: String, findings: [Finding])
  /// The voxels are of a type that the caller cannot take.
  case unexpectedType(path: String, found: String, expected: String)
  case outOfMemory(bytes: Int)

  // What was to be written.

  /// The output's name ends in nothing that can be written.
  case unknownOutputFormat(path: String)
  /// Something that segpipe did not write is already there.
  case outputExists(path: String)
  /// Input and output are one file.
  case outputIsInput(path: String)
  /// Negative, or larger than the widest type for labels.
  case labelOutOfRange(path: String, value: Int)
  /// Volumes given to a stream writer do not add up to what was declared.
  case wrongVolume(path: String, found: Int, expected: Int)

  /// What a size was held against.
  package enum SizeLimit: Sendable, Equatable {
    /// The file's own size, and the most that its compression can yield.
    case fileSize
    /// `ReadOptions.maximumBytes`.
    case option
  }
}

/// What is wrong with a gzip container.
package enum GzipFault: Sendable, Equatable {
  /// The member's header is cut off or not of method 8.
  case header
  /// The compressed stream ends early.
  case truncated
  /// The compressed stream is whole; the checksum and length after it are cut off.
  case trailerTruncated
  /// Not a deflate stream: flipped bits.
  case stream
  case checksum(found: UInt32, expected: UInt32)
  case length(found: UInt32, expected: UInt32)
}
