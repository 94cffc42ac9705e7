import Glibc

/// What can go wrong with a file as such, whatever it holds.
package enum FileError: Error, Equatable, Sendable {
  /// Nothing is at this path.
  case missing(path: String)
  /// A symbolic link to nothing. An annexed or moved file, most often.
  case brokenLink(path: String, target: String)
  /// The file is there and may not be opened.
  case unreadable(path: String, code: Int32)
  /// Something else is there than what is needed.
  case wrongKind(path: String, found: FileKind, expected: FileKind)
  case readFailed(path: String, code: Int32)
  /// Size, time or identity of the file changed between opening and the last byte.
  case changedWhileReading(path: String)
  case cannotCreate(path: String, code: Int32)
  case writeFailed(path: String, operation: String, code: Int32)
  /// The file is whole and in place; whether its name outlives a power cut is not known.
  case folderNotSynced(path: String, code: Int32)
}

/// What a path may lead to.
package enum FileKind: Equatable, Sendable {
  case file, folder
  /// A pipe, a socket or a device.
  case other

  /// By `st_mode`.
  init(mode: mode_t) {
    switch mode & S_IFMT {
    case S_IFREG: self = .file
    case S_IFDIR: self = .folder
    default: self = .other
    }
  }
}

extension FileError {
  /// Why a file could not be opened, given `errno`.
  package static func opening(_ path: String, code: Int32) -> FileError {
    if code == ENOENT, let target = linkTarget(path) {
      return .brokenLink(path: path, target: target)
    }
    return code == ENOENT || code == ENOTDIR
      ? .missing(path: path) : .unreadable(path: path, code: code)
  }
}
