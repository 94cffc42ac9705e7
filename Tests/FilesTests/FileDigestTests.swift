import Foundation
import TestSupport
import Testing

import Files

@Suite struct FileDigestTests {
  @Test func digestFollowsContentAndStampFollowsTheFile() throws {
    let scratch = try Scratch()
    let bytes = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
    let path = try scratch.file("a", bytes)
    let other = try scratch.file("b", bytes)
    let first = try FileDigest(of: path)
    var hash = SHA256()
    bytes.withUnsafeBytes { hash.update($0) }
    #expect(first.sha256 == hash.hexadecimal)
    #expect(first.stamp == FileStamp(of: path))
    #expect(first.stamp.size == bytes.count)
    #expect(try FileDigest(of: other).sha256 == first.sha256)
    #expect(FileStamp(of: other) != first.stamp)
    _ = try scratch.file("a", bytes.dropLast() + [bytes[bytes.count - 1] ^ 1])
    #expect(try FileDigest(of: path).sha256 != first.sha256)
  }

  @Test func whatCannotBeRead() throws {
    let scratch = try Scratch()
    let missing = scratch.path("none")
    #expect(throws: FileError.missing(path: missing)) { try FileDigest(of: missing) }
    #expect(throws: FileError.wrongKind(path: scratch.folder, found: .folder, expected: .file)) {
      try FileDigest(of: scratch.folder)
    }
    // A pipe that nobody writes to is not waited for.
    let pipe = scratch.folder + "/pipe"
    try #require(mkfifo(pipe, 0o600) == 0)
    #expect(throws: FileError.wrongKind(path: pipe, found: .other, expected: .file)) {
      try FileDigest(of: pipe)
    }
    let link = scratch.path("link")
    symlink("../annex/objects/x", link)
    #expect(throws: FileError.brokenLink(path: link, target: "../annex/objects/x")) {
      try FileDigest(of: link)
    }
    #expect(FileStamp(of: missing) == nil)
    #expect(FileStamp(of: scratch.folder) == nil)
  }
}
