import Files
import Glibc

/// Whether a path may be written to, asked before any work is done.
package enum OutputGuard {
  /// Makes missing folders, and throws when the path cannot or must not be written.
  ///
  /// `overwrite` tells whether a file that segpipe did not write may be replaced; `inputs` are the
  /// paths that are read, none of which may be the output, not even by another name. A file is known
  /// as segpipe's own by `mark`, words that its first KiB holds.
  ///
  /// Throws: `ImagingError.outputIsInput`, `.outputExists`, `FileError.cannotCreate`.
  package static func check(
    _ path: String, overwrite: Bool, inputs: [String], mark: String = "segpipe"
  ) throws {
    let target = AtomicFile.resolve(path)
    var status = stat()
    let exists = stat(target, &status) == 0
    if !exists, errno == ENAMETOOLONG {
      throw FileError.cannotCreate(path: path, code: ENAMETOOLONG)
    }
    let identity = FileIdentity(of: target)
    for input in inputs {
      let other =
        input == "-" ? FileIdentity(descriptor: STDIN_FILENO) : FileIdentity(of: input)
      let isSame = identity != nil && identity == other
      guard !isSame, input != path else { throw ImagingError.outputIsInput(path: path) }
    }
    if exists {
      guard status.st_mode & S_IFMT == S_IFREG else {
        let isFolder = status.st_mode & S_IFMT == S_IFDIR
        throw FileError.cannotCreate(path: path, code: isFolder ? EISDIR : EEXIST)
      }
      guard overwrite || isOurs(target, mark: mark) else {
        throw ImagingError.outputExists(path: path)
      }
    }
    let folder = AtomicFile.folder(of: target)
    try Folder.make(folder, for: path)
    guard access(folder, W_OK | X_OK) == 0 else {
      throw FileError.cannotCreate(path: path, code: errno)
    }
  }

  /// Whether the first KiB of the content, gzip undone, holds the mark. An empty file is nobody's
  /// work.
  package static func isOurs(_ path: String, mark: String = "segpipe") -> Bool {
    guard let file = try? InputFile(path), let source = try? ByteSource(file) else {
      var status = stat()
      return stat(path, &status) == 0 && status.st_size == 0
    }
    var head = [UInt8](repeating: 0, count: 1024)
    let got = head.withUnsafeMutableBytes { (try? source.read(into: $0)) ?? 0 }
    let name = Array(mark.utf8)
    guard got >= name.count else { return false }
    return (0...got - name.count).contains { head[$0..<$0 + name.count].elementsEqual(name) }
  }
}
