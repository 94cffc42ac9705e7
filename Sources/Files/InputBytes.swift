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
    guard fstat(descriptor, &status) == 0 else {
      let code = errno
      close(descriptor)
      throw FileError.readFailed(path: path, code: code)
    }
    let kind = FileKind(mode: status.st_mode)
    guard kind == .file else {
      close(descriptor)
      throw FileError.wrongKind(path: path, found: kind, expected: .file)
    }
    self.path = path
    self.descriptor = descriptor
    count = Int(status.st_size)
  }

  deinit { close(descriptor) }

  /// The stamp of the file as it is now.
  var stamp: FileStamp? { FileStamp(descriptor: descriptor) }

  /// Fills a buffer from its beginning with the next bytes; returns how many there were, 0 at the end.
  ///
  /// - Throws: `FileError.readFailed`.
  func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    while true {
      let count = Foundation.read(descriptor, buffer.baseAddress, buffer.count)
      if count >= 0 { return count }
      if errno != EINTR { throw FileError.readFailed(path: path, code: errno) }
    }
  }

  /// The next bytes.
  ///
  /// - Throws: `FileError`, also where the file ends before.
  package func read(_ count: Int) throws -> Data {
    var bytes = Data(count: count)
    try bytes.withUnsafeMutableBytes { buffer in
      var done = 0
      while done < count {
        let got = try read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[done...]))
        if got == 0 { throw FileError.changedWhileReading(path: path) }
        done += got
      }
    }
    return bytes
  }
}
