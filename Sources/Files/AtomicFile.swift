import Glibc
import Synchronization

/// A file that appears under its name whole, or not at all.
///
/// Bytes go to a temporary name in the same folder; `commit` syncs them, renames, and syncs the
/// folder. The result of every call is checked. A file that is never committed leaves nothing
/// behind. A name that is a symbolic link is followed: its target is replaced, in the target's
/// folder.
package final class AtomicFile {
  /// The path as it was given.
  package let path: String
  private let target: String
  private let temporary: String
  /// Negative once it is closed.
  private var descriptor: Int32
  /// Whether the temporary file is there.
  private var isTemporary = true

  private static let serial = Atomic<Int>(0)

  /// Creates the temporary file. A file that is replaced passes its mode on; a new one gets 0666
  /// less the umask.
  ///
  /// Throws: `FileError.cannotCreate`.
  package init(_ path: String) throws {
    // A file size limit must come back as an error of write, not as a signal that ends the process.
    signal(SIGXFSZ, SIG_IGN)
    self.path = path
    target = Self.resolve(path)
    let folder = Self.folder(of: target)
    var opened: Int32 = -1
    var name = ""
    for _ in 0..<100 {
      let number = Self.serial.wrappingAdd(1, ordering: .relaxed).newValue
      name = "\(folder)/.segpipe-\(getpid())-\(number).tmp"
      TemporaryFiles.add(name)
      opened = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
      let code = errno
      if opened >= 0 { break }
      TemporaryFiles.forget(name)
      errno = code
      if code != EEXIST { break }
    }
    guard opened >= 0 else { throw FileError.cannotCreate(path: path, code: errno) }
    temporary = name
    descriptor = opened
    var existing = stat()
    if stat(target, &existing) == 0 {
      guard existing.st_mode & S_IFMT == S_IFREG else {
        throw FileError.cannotCreate(path: path, code: EEXIST)
      }
      // Some network file systems refuse this to everyone; the file is still right.
      _ = fchmod(descriptor, existing.st_mode & 0o7777)
    }
  }

  deinit {
    if descriptor >= 0 { close(descriptor) }
    removeTemporary()
  }

  /// Takes the temporary file away; a file that has its name by then stays.
  func removeTemporary() {
    guard isTemporary else { return }
    unlink(temporary)
    TemporaryFiles.forget(temporary)
    isTemporary = false
  }

  /// Appends bytes. Throws: `FileError.writeFailed`.
  package func write(_ bytes: UnsafeRawBufferPointer) throws {
    var done = 0
    while done < bytes.count {
      let count = min(bytes.count - done, 1 << 30)
      let written = Glibc.write(descriptor, bytes.baseAddress?.advanced(by: done), count)
      if written < 0 {
        if errno == EINTR { continue }
        throw failure("write")
      }
      done += written
    }
  }

  /// Appends bytes. Throws: `FileError.writeFailed`.
  package func write(_ bytes: [UInt8]) throws { try bytes.withUnsafeBytes { try write($0) } }

  /// Makes the file appear under its name. Throws: `FileError.writeFailed`.
  package func commit() throws {
    try seal()
    try rename()
    try syncFolder()
  }

  /// Brings the bytes to the disk, still under the temporary name; none can be appended then. Throws:
  /// `FileError.writeFailed`.
  func seal() throws {
    guard descriptor >= 0 else { return }
    guard fsync(descriptor) == 0 else { throw failure("fsync") }
    let closing = descriptor
    descriptor = -1
    guard close(closing) == 0 else { throw abandon("close") }
  }

  /// Gives a sealed file its name. Throws: `FileError.writeFailed`.
  func rename() throws {
    guard Glibc.rename(temporary, target) == 0 else { throw abandon("rename") }
    TemporaryFiles.forget(temporary)
    isTemporary = false
  }

  /// Whether something is at the path.
  var replacesOther: Bool {
    var status = stat()
    return lstat(target, &status) == 0
  }

  /// Takes a file away that has appeared.
  func remove() { unlink(target) }

  /// The folder that it appears in.
  var folder: String { Self.folder(of: target) }

  /// Makes its name outlive a power cut. Throws: `FileError.folderNotSynced`.
  func syncFolder() throws {
    try Folder.sync(folder, for: path)
  }

  /// Writes a whole file at once. Throws: `FileError`.
  package static func write(_ bytes: [UInt8], to path: String) throws {
    let file = try AtomicFile(path)
    try file.write(bytes)
    try file.commit()
  }

  private func failure(_ operation: String) -> FileError {
    .writeFailed(path: path, operation: operation, code: errno)
  }

  private func abandon(_ operation: String) -> FileError {
    let error = failure(operation)
    removeTemporary()
    return error
  }

  /// The path that a chain of symbolic links ends at, whether or not something is there.
  package static func resolve(_ path: String) -> String {
    var current = path
    // The kernel follows at most 40 links.
    for _ in 0..<40 {
      guard let next = linkTarget(current) else { break }
      current = next.hasPrefix("/") ? next : "\(folder(of: current))/\(next)"
    }
    return current
  }

  /// Where a file of this path lies, whatever way is written to it: links are followed.
  package static func place(of path: String) -> String {
    let target = resolve(path)
    let name = target.utf8.lastIndex(of: UInt8(ascii: "/")).map {
      target[target.index(after: $0)...]
    }
    let folder = folder(of: target)
    let real = realpath(folder, nil)
    defer { free(real) }
    return (real.map { String(cString: $0) } ?? folder) + "/" + (name ?? target[...])
  }

  /// The folder that holds a path's last part; `.` for a bare name.
  package static func folder(of path: String) -> String {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
    let folder = String(path[..<slash])
    return folder.isEmpty ? "/" : folder
  }
}

/// Where a symbolic link points, as written in it; `nil` when there is none.
package func linkTarget(_ path: String) -> String? {
  withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX)) { buffer in
    guard let base = buffer.baseAddress else { return nil }
    let length = readlink(path, base, buffer.count)
    guard length >= 0 else { return nil }
    return String(decoding: buffer.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
