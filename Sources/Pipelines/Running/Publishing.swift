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
    for folder in folders.sorted() { try Folder.sync(folder) }
  }
}
