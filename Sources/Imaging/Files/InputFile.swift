import Files
import Glibc

/// A file being read from front to back: a regular file, a pipe, or `-` for standard input.
final class InputFile {
  let path: String
  /// Size in bytes when opened; `nil` for a pipe.
  let size: Int?
  private let descriptor: Int32
  private let opened: stat
  /// What was read ahead: the first bytes, or everything after `loadAll`.
  private var ahead: RawBytes
  private var aheadUsed = 0

  /// Bytes read at once to tell what a file is.
  private static let headSize = 1024

  /// Throws: `ImagingError` for what is missing, unreadable or no file.
  init(_ path: String) throws {
    self.path = path
    if path == "-" {
      descriptor = dup(STDIN_FILENO)
    } else {
      // Without O_NONBLOCK: a pipe waits for its writer, as any reader of a pipe does.
      descriptor = open(path, O_RDONLY | O_CLOEXEC)
    }
    guard descriptor >= 0 else { throw ImagingError.file(.opening(path, code: errno)) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      let code = errno
      close(descriptor)
      throw ImagingError.file(.readFailed(path: path, code: code))
    }
    opened = status
    switch status.st_mode & S_IFMT {
    case S_IFREG: size = Int(status.st_size)
    case S_IFIFO, S_IFSOCK: size = nil
    case S_IFDIR:
      close(descriptor)
      throw ImagingError.directory(path: path)
    default:
      close(descriptor)
      throw ImagingError.notAFile(path: path)
    }
    do {
      ahead = try RawBytes(count: Self.headSize)
    } catch {
      close(descriptor)
      throw error
    }
    let got = try fill(ahead.buffer)
    try ahead.resize(to: got)
    guard got > 0 else { throw ImagingError.empty(path: path) }
  }

  deinit { close(descriptor) }

  /// Throws as opening does for what is missing, unreadable or a folder, and opens nothing.
  static func check(_ path: String) throws {
    guard path != "-" else { return }
    var status = stat()
    guard stat(path, &status) == 0, access(path, R_OK) == 0 else {
      throw ImagingError.file(.opening(path, code: errno))
    }
    if status.st_mode & S_IFMT == S_IFDIR { throw ImagingError.directory(path: path) }
  }

  /// The first bytes, as many as there are up to 1 KiB. Valid until the next call.
  var head: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(ahead.buffer).prefix(Self.headSize))
  }

  var isGzip: Bool { head.count >= 2 && head[0] == 0x1f && head[1] == 0x8b }

  /// The whole content, once `loadAll` has run. Valid until the next call.
  private(set) var isLoaded = false
  var loaded: UnsafeRawBufferPointer? { isLoaded ? UnsafeRawBufferPointer(ahead.buffer) : nil }

  /// The next bytes; 0 at the end. Throws: `ImagingError.file`.
  func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    let waiting = ahead.count - aheadUsed
    guard waiting > 0 else { return try readOnce(buffer) }
    let taken = min(waiting, buffer.count)
    buffer.copyMemory(
      from: UnsafeRawBufferPointer(start: ahead.base + aheadUsed, count: taken))
    aheadUsed += taken
    return taken
  }

  /// Reads everything into memory, and leaves the position as it was.
  ///
  /// Throws: `ImagingError` when reading fails or more than `limit` bytes come.
  func loadAll(limit: Int) throws -> UnsafeRawBufferPointer {
    var filled = ahead.count
    // One byte more than announced: whether the file grew shows in the same read.
    var capacity = max((size ?? (1 << 20)) + 1, filled + 1)
    while true {
      guard capacity <= limit else {
        throw ImagingError.tooLarge(path: path, needed: capacity, limit: limit, reason: .option)
      }
      try ahead.resize(to: capacity)
      let room = UnsafeMutableRawBufferPointer(rebasing: ahead.buffer[filled...])
      let got = try fill(room)
      filled += got
      if got < room.count { break }
      capacity *= 2
    }
    try ahead.resize(to: filled)
    isLoaded = true
    return UnsafeRawBufferPointer(ahead.buffer)
  }

  /// Throws `FileError.changedWhileReading`, as an `ImagingError`, when the file is no longer what was opened.
  func checkUnchanged() throws {
    guard size != nil else { return }
    var now = stat()
    guard fstat(descriptor, &now) == 0 else {
      throw ImagingError.file(.readFailed(path: path, code: errno))
    }
    let same =
      now.st_size == opened.st_size && now.st_mtim.tv_sec == opened.st_mtim.tv_sec
      && now.st_mtim.tv_nsec == opened.st_mtim.tv_nsec
    guard same else { throw ImagingError.file(.changedWhileReading(path: path)) }
    // The name may by now lead to another file: half of what follows would come from each.
    var named = stat()
    if path != "-", stat(path, &named) == 0, named.st_ino != opened.st_ino {
      throw ImagingError.file(.changedWhileReading(path: path))
    }
  }

  private func fill(_ buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    var filled = 0
    while filled < buffer.count {
      let got = try readOnce(UnsafeMutableRawBufferPointer(rebasing: buffer[filled...]))
      if got == 0 { break }
      filled += got
    }
    return filled
  }

  private func readOnce(_ buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    while true {
      let got = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
      if got >= 0 { return got }
      if errno != EINTR { throw ImagingError.file(.readFailed(path: path, code: errno)) }
    }
  }
}
