import Glibc
import Synchronization

/// The temporary files that atomic writes have under way, so that a program that is told to stop
/// leaves none.
package enum TemporaryFiles {
  private static let names = Mutex<Set<String>>([])

  /// Notes a file that is about to be created.
  static func add(_ name: String) { names.withLock { _ = $0.insert(name) } }

  /// Forgets a file that was renamed or removed.
  static func forget(_ name: String) { names.withLock { _ = $0.remove(name) } }

  /// Removes all of them and ends the process by `end`. No file can be added in between.
  package static func removeAll(thenEnd end: () -> Never) -> Never {
    names.withLock { names in
      for name in names { unlink(name) }
      end()
    }
  }
}
