import Files
import Foundation
import Synchronization

/// The right to work on a stage, held by one process at a time.
///
/// A lock is `flock` on a file that says who holds it. The kernel lets go when the holder ends, however it
/// ends; what the file says then tells a dead holder from one on another machine, where the file system
/// may not pass locks on. A lock may be handed to another thread, and is not shared by two.
package final class StageLock: @unchecked Sendable {
  /// What came of asking for a lock.
  package enum Acquisition {
    /// `from` is a dead process that had not let go.
    case taken(StageLock, from: LockHolder?)
    case busy(LockHolder?)
    /// Says to be held by a process of another machine.
    case elsewhere(LockHolder)
  }

  private var descriptor: Int32
  /// Descriptors of the locks that this process has signed.
  private static let held = Mutex<Set<Int32>>([])

  private init(descriptor: Int32) { self.descriptor = descriptor }

  deinit { release() }

  /// Lets go. The file stays, empty: to remove it could take it from under another process.
  package func release() {
    guard descriptor >= 0 else { return }
    Self.held.withLock { held in
      held.remove(descriptor)
      _ = ftruncate(descriptor, 0)
      close(descriptor)
    }
    descriptor = -1
  }

  /// Lets go of all locks of this process and ends it by `end`; none can be taken in between. The kernel would let go
  /// of them too, but other machines go by what the files say.
  package static func releaseAll(thenEnd end: () -> Never) -> Never {
    held.withLock { held in
      for file in held { _ = ftruncate(file, 0) }
      end()
    }
  }

  /// Asks for a lock, and does not wait.
  ///
  /// - Throws: `FileError.cannotCreate`.
  package static func acquire(_ path: String) throws -> Acquisition {
    try Folder.make(AtomicFile.folder(of: path))
    while true {
      let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
      guard file >= 0 else { throw FileError.cannotCreate(path: path, code: errno) }
      let lock = StageLock(descriptor: file)
      // A file system without locks says so otherwise; what the file tells must do there.
      if flock(file, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK {
        let holder = holder(in: file)
        lock.abandon()
        return .busy(holder)
      }
      // Somebody may have removed the file in between; the lock would be on nothing.
      guard isStill(file, at: path) else {
        lock.abandon()
        continue
      }
      let before = holder(in: file)
      if let before, before != .current, !before.isGone {
        lock.abandon()
        return before.host == LockHolder.current.host ? .busy(before) : .elsewhere(before)
      }
      lock.sign()
      return .taken(lock, from: before == .current ? nil : before)
    }
  }

  /// Who holds a lock; nil when nobody does.
  static func holder(of path: String) -> LockHolder? {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    guard let holder = holder(in: file), !holder.isGone else { return nil }
    if holder.host != LockHolder.current.host { return holder }
    return flock(file, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK ? holder : nil
  }

  /// Closes the file and leaves what it says.
  private func abandon() {
    close(descriptor)
    descriptor = -1
  }

  private func sign() {
    guard let text = try? JSONBytes.encode(LockHolder.current) else { return }
    Self.held.withLock { held in
      held.insert(descriptor)
      _ = ftruncate(descriptor, 0)
      // What cannot be written on a full disk is no hindrance: the kernel has the lock.
      text.withUnsafeBytes { _ = pwrite(descriptor, $0.baseAddress, $0.count, 0) }
    }
  }

  private static func isStill(_ file: Int32, at path: String) -> Bool {
    guard let ours = FileIdentity(descriptor: file) else { return false }
    return ours == FileIdentity(of: path)
  }

  private static func holder(in file: Int32) -> LockHolder? {
    var bytes = [UInt8](repeating: 0, count: 4096)
    let count = bytes.withUnsafeMutableBytes { pread(file, $0.baseAddress, $0.count, 0) }
    guard count > 0 else { return nil }
    return try? JSONDecoder().decode(LockHolder.self, from: Data(bytes[..<count]))
  }
}
