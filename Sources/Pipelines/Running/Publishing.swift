import Files
import Foundation

/// Gives files that are whole on the disk their final names.
enum Publishing {
  /// Throws: `FileError.writeFailed`.
  static func move(_ from: String, to path: String) throws {
    guard rename(from, path) == 0 else {
      throw FileError.writeFailed(path: path, operation: "rename", code: errno)
    }
  }

  /// Makes renames in folders outlive a power cut. Throws: `FileError.folderNotSynced`.
  static func sync(_ folders: Set<String>) throws {
    for folder in folders.sorted() {
      let file = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
      // As for single files: a folder that cannot be opened or has no sync is no reason to fail.
      guard file >= 0 else { continue }
      defer { close(file) }
      if fsync(file) != 0, errno != EINVAL, errno != ENOTSUP, errno != EROFS {
        throw FileError.folderNotSynced(path: folder, code: errno)
      }
    }
  }
}
