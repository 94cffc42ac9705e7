import Files
import Foundation

/// Digests of files, each hashed once in a run at most, and not at all where a stamp vouches for it.
package final class FileLedger {
  private var known: [String: FileDigest] = [:]
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
    if let seen = known[path], seen.stamp == stamp { return seen }
    let digest: FileDigest
    if !rehashes, let sha256 = recorded?.sha256, recorded?.stamp == stamp {
      digest = FileDigest(sha256: sha256, stamp: stamp)
    } else {
      digest = try FileDigest(of: path)
    }
    known[path] = digest
    return digest
  }

  /// Notes the content of a file that was just written.
  func note(_ sha256: String, of path: String) {
    known[path] = FileStamp(of: path).map { FileDigest(sha256: sha256, stamp: $0) }
  }

  /// Files of a folder and of folders in it, as paths there, in order; names that begin with a dot are left out.
  ///
  /// - Throws: `FileError` when the folder cannot be listed.
  static func files(in folder: String) throws -> [String] {
    guard let walk = FileManager.default.enumerator(atPath: folder),
      FileManager.default.fileExists(atPath: folder)
    else { throw FileError.missing(path: folder) }
    var found: [String] = []
    while let path = walk.nextObject() as? String {
      if (path as NSString).lastPathComponent.hasPrefix(".") {
        walk.skipDescendants()
      } else if FileStamp(of: folder + "/" + path) != nil {
        found.append(path)
      }
    }
    return found.sorted()
  }
}
