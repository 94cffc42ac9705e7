import Files
import Synchronization

/// Digests of files, each hashed once in a run at most, and not at all where a stamp vouches for it.
package final class FileLedger: Sendable {
  private let known = Mutex<[String: FileDigest]>([:])
  /// Whether stamps of records count for nothing.
  private let rehashes: Bool

  package init(rehashes: Bool = false) { self.rehashes = rehashes }

  /// The digest of a file; `recorded` is what a record says of it.
  ///
  /// - Throws: `FileError`.
  func digest(_ path: String, recorded: Record.Entry?) throws -> FileDigest {
    guard let stamp = FileStamp(of: path) else {
      // Says what there is instead.
      return try FileDigest(of: path)
    }
    if let seen = known.withLock({ $0[path] }), seen.stamp == stamp { return seen }
    let digest: FileDigest
    if !rehashes, let sha256 = recorded?.sha256, recorded?.stamp == stamp {
      digest = FileDigest(sha256: sha256, stamp: stamp)
    } else {
      digest = try FileDigest(of: path)
    }
    known.withLock { $0[path] = digest }
    return digest
  }

  /// Notes the content of a file that was just written.
  func note(_ sha256: String, of path: String) {
    let digest = FileStamp(of: path).map { FileDigest(sha256: sha256, stamp: $0) }
    known.withLock { $0[path] = digest }
  }
}
