import Glibc

/// What lies in folders, links followed.
package enum Folder {
  /// Names in a folder, hidden ones too, in order.
  ///
  /// - Throws: `FileError.missing` where nothing is there, `.unreadable`, for a file too, `.readFailed`.
  package static func names(in folder: String) throws -> [String] {
    guard let stream = opendir(folder) else {
      let code = errno
      throw code == ENOENT
        ? FileError.missing(path: folder) : FileError.unreadable(path: folder, code: code)
    }
    defer { closedir(stream) }
    var names: [String] = []
    while true {
      // The end and an error look the same but for this.
      errno = 0
      guard let entry = readdir(stream) else {
        guard errno == 0 else { throw FileError.readFailed(path: folder, code: errno) }
        return names.sorted()
      }
      let name = withUnsafeBytes(of: &entry.pointee.d_name) {
        String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != ".", name != ".." { names.append(name) }
    }
  }

  /// Regular files of a folder and of folders in it, as paths there, in order; names that begin with a dot are left
  /// out, and so is a folder within itself, as links can have it.
  ///
  /// - Throws: `FileError` when the folder, or one in it, cannot be listed.
  package static func files(in folder: String) throws -> [String] {
    var found: [String] = []
    try visit(folder, before: "", above: [], &found)
    return found.sorted()
  }

  private struct Identity: Hashable {
    let device: dev_t
    let inode: ino_t
  }

  /// `above` are the folders on the way to this one, `before` their names.
  private static func visit(
    _ folder: String, before: String, above: Set<Identity>, _ found: inout [String]
  ) throws {
    let names = try names(in: folder)
    var (status, above) = (stat(), above)
    guard stat(folder, &status) == 0 else { throw FileError.missing(path: folder) }
    let identity = Identity(device: status.st_dev, inode: status.st_ino)
    guard above.insert(identity).inserted else { return }
    for name in names where !name.hasPrefix(".") {
      let path = folder + "/" + name
      guard stat(path, &status) == 0 else { continue }
      switch status.st_mode & S_IFMT {
      case S_IFREG: found.append(before + name)
      case S_IFDIR: try visit(path, before: before + name + "/", above: above, &found)
      default: break
      }
    }
  }
}
