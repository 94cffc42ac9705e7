import Glibc

/// Folders: making them, what lies in them, links followed, and renames in them.
package enum Folder {
  /// Makes a folder and those that hold it, where they are missing.
  ///
  /// - Throws: `FileError.cannotCreate`, also where something else is in a folder's place. It names `output`, what
  ///   the folder is to hold, or without it the folder.
  package static func make(_ folder: String, for output: String? = nil) throws {
    func failure(_ code: Int32) -> FileError { .cannotCreate(path: output ?? folder, code: code) }
    var status = stat()
    if stat(folder, &status) != 0 {
      let parent = AtomicFile.folder(of: folder)
      if parent != folder { try make(parent, for: output) }
      guard mkdir(folder, 0o777) == 0 || errno == EEXIST else { throw failure(errno) }
      // Another process may have made it meanwhile; a link may lead to nothing.
      guard stat(folder, &status) == 0 else { throw failure(errno) }
    }
    guard status.st_mode & S_IFMT == S_IFDIR else { throw failure(ENOTDIR) }
  }

  /// Makes renames in a folder outlive a power cut, where it can be opened and its file system has such a thing:
  /// the files themselves are safe.
  ///
  /// - Throws: `FileError.folderNotSynced`. It names `output`, a file in the folder, or without it the folder.
  package static func sync(_ folder: String, for output: String? = nil) throws {
    let file = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard file >= 0 else { return }
    defer { close(file) }
    if fsync(file) != 0, errno != EINVAL, errno != ENOTSUP, errno != EROFS {
      throw FileError.folderNotSynced(path: output ?? folder, code: errno)
    }
  }

  /// Names in a folder, hidden ones too, in order.
  ///
  /// - Throws: `FileError.missing` where nothing is there, `.wrongKind` for a file, `.unreadable`, `.readFailed`.
  package static func names(in folder: String) throws -> [String] {
    guard let stream = opendir(folder) else {
      let code = errno
      guard code == ENOENT || code == ENOTDIR else {
        throw FileError.unreadable(path: folder, code: code)
      }
      var status = stat()
      guard stat(folder, &status) == 0 else { throw FileError.missing(path: folder) }
      throw FileError.wrongKind(
        path: folder, found: FileKind(mode: status.st_mode), expected: .folder)
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

  /// `above` are the folders on the way to this one, `before` their names.
  private static func visit(
    _ folder: String, before: String, above: Set<FileIdentity>, _ found: inout [String]
  ) throws {
    let names = try names(in: folder)
    var (status, above) = (stat(), above)
    guard let identity = FileIdentity(of: folder) else { throw FileError.missing(path: folder) }
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
