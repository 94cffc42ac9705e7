import Glibc

/// Files that belong together and appear together, whole, or not at all.
///
/// Every file lies on the disk under a temporary name before the first gets its own: a full disk changes
/// nothing. Should a name not be given then, files of the set that replaced none are removed again. A set that
/// is never committed leaves nothing behind.
package struct AtomicFileSet {
  private var files: [AtomicFile] = []

  package init() {}

  /// Adds a file whose bytes are written, and brings them to the disk. Throws: `FileError.writeFailed`.
  package mutating func add(_ file: AtomicFile) throws {
    try file.seal()
    files.append(file)
  }

  /// Adds a whole file at once. Throws: `FileError`.
  package mutating func add(_ bytes: [UInt8], to path: String) throws {
    let file = try AtomicFile(path)
    try file.write(bytes)
    try add(file)
  }

  /// Makes the files appear, in the order in which they were added. Throws: `FileError`.
  package consuming func commit() throws {
    var new: [AtomicFile] = []
    for file in files {
      let isNew = !file.replacesOther
      do { try file.rename() } catch {
        for file in new { file.remove() }
        for file in files { file.removeTemporary() }
        throw error
      }
      if isNew { new.append(file) }
    }
    var synced: Set<String> = []
    for file in files where synced.insert(file.folder).inserted { try file.syncFolder() }
  }
}
