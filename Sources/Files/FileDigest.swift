import Glibc

/// What a file was when it was looked at. A file whose stamp is the same has, in all likelihood, the
/// same content; one whose stamp differs may have it all the same.
package struct FileStamp: Codable, Equatable, Hashable, Sendable {
  /// Bytes.
  package let size: Int
  /// Last change of the content, in nanoseconds since 1970.
  package let modified: Int
  /// Last change of the content, the name or the permissions: a time that nobody can set back.
  package let changed: Int
  package let inode: UInt64

  private init(_ status: stat) {
    func nanoseconds(_ time: timespec) -> Int { time.tv_sec &* 1_000_000_000 &+ time.tv_nsec }
    size = Int(status.st_size)
    modified = nanoseconds(status.st_mtim)
    changed = nanoseconds(status.st_ctim)
    inode = UInt64(status.st_ino)
  }

  /// The stamp of a file, links followed; `nil` when there is no regular file.
  package init?(of path: String) {
    var status = stat()
    guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
    self.init(status)
  }

  init?(descriptor: Int32) {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { return nil }
    self.init(status)
  }
}

/// The SHA-256 of a file's content, with the stamp that the file had.
package struct FileDigest: Equatable, Sendable {
  /// 64 lower-case hexadecimal digits.
  package let sha256: String
  package let stamp: FileStamp

  private static let piece = 1 << 20

  package init(sha256: String, stamp: FileStamp) {
    (self.sha256, self.stamp) = (sha256, stamp)
  }

  /// Reads the whole file.
  ///
  /// - Throws: `FileError` when it is missing, no regular file, cannot be read, or changed meanwhile.
  package init(of path: String) throws {
    let file = try InputBytes(path)
    guard let before = file.stamp else { throw FileError.readFailed(path: path, code: errno) }
    var hash = SHA256()
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.piece, alignment: 64)
    defer { buffer.deallocate() }
    while true {
      let count = try file.read(into: buffer)
      if count == 0 { break }
      hash.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
    }
    guard file.stamp == before else {
      throw FileError.changedWhileReading(path: path)
    }
    sha256 = hash.hexadecimal
    stamp = before
  }
}
