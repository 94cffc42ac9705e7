import Foundation

/// A regular file whose bytes are read from its beginning on.
package final class InputBytes {
  /// Bytes of the whole file.
  package let count: Int
  private let path: String
  private let descriptor: Int32

  /// - Throws: `FileError` for what is missing, may not be opened or is no regular file.
  package init(_ path: String) throws {
    // A pipe without a writer is no reason to wait.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw FileError.opening(path, code: errno) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      let isFolder = status.st_mode & S_IFMT == S_IFDIR
      close(descriptor)
      throw FileError.unreadable(path: path, code: isFolder ? EISDIR : EINVAL)
    }
    self.path = path
    self.descriptor = descriptor
    count = Int(status.st_size)
  }

  deinit { close(descriptor) }

  /// The next bytes.
  ///
  /// - Throws: `FileError`, also where the file ends before.
  package func read(_ count: Int) throws -> Data {
    var bytes = Data(count: count)
    try bytes.withUnsafeMutableBytes { buffer in
      var done = 0
      while done < count {
        let got = Foundation.read(descriptor, buffer.baseAddress?.advanced(by: done), count - done)
        if got == 0 { throw FileError.changedWhileReading(path: path) }
        if got < 0 {
          if errno == EINTR { continue }
          throw FileError.readFailed(path: path, code: errno)
        }
        done += got
      }
    }
    return bytes
  }
}
