import Foundation

/// Writes whole files: to a temporary name in the same folder, synced, then renamed. A reader sees
/// the previous file or the new one, never a part; a failure leaves the previous one and no
/// temporary file.
enum AtomicFile {
  /// Writes what `body` appends, piece by piece. Throws `NetworkError.inputOutput`.
  static func write(
    to path: String, _ body: (_ append: (UnsafeRawBufferPointer) throws -> Void) throws -> Void
  ) throws {
    let temporary = path + ".partial-\(getpid())"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw failure("create", path) }
    do {
      defer { close(descriptor) }
      try body { try write($0, to: descriptor, path) }
      guard fsync(descriptor) == 0 else { throw failure("sync", path) }
    } catch {
      unlink(temporary)
      throw error
    }
    guard rename(temporary, path) == 0 else {
      let error = failure("rename", path)
      unlink(temporary)
      throw error
    }
    try syncFolder(of: path)
  }

  private static func write(
    _ bytes: UnsafeRawBufferPointer, to descriptor: Int32, _ path: String
  ) throws {
    var written = 0
    while written < bytes.count, let base = bytes.baseAddress {
      let count = Glibc.write(descriptor, base + written, bytes.count - written)
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { throw failure("write", path) }
      written += count
    }
  }

  /// Makes a rename last through a power failure.
  private static func syncFolder(of path: String) throws {
    let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
    let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw failure("open the folder of", path) }
    defer { close(descriptor) }
    // Some network file systems cannot sync a folder; they say EINVAL.
    guard fsync(descriptor) == 0 || errno == EINVAL else { throw failure("sync", path) }
  }

  private static func failure(_ operation: String, _ path: String) -> NetworkError {
    .inputOutput(path: path, operation: operation, errno: errno)
  }
}
