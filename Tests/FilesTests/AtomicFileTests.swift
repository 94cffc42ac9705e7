import Foundation
import TestSupport
import Testing

import Files

@Suite struct AtomicFileTests {
  @Test func nothingUnlessCommitted() throws {
    let scratch = try Scratch()
    let path = try scratch.file("a.txt", Array("old".utf8))
    do {
      let file = try AtomicFile(path)
      try file.write(Array("new".utf8))
      #expect(try contents(path) == Array("old".utf8))
    }
    #expect(scratch.names == ["a.txt"])
    try AtomicFile.write(Array("new".utf8), to: path)
    #expect(try contents(path) == Array("new".utf8))
    #expect(scratch.names == ["a.txt"])
  }

  @Test func setsAppearAsAWhole() throws {
    let scratch = try Scratch()
    let old = try scratch.file("old", [1])
    func set(_ names: String...) throws -> AtomicFileSet {
      var set = AtomicFileSet()
      for name in names { try set.add([2], to: scratch.path(name)) }
      return set
    }
    do {
      var set = try set("a", "old")
      #expect(throws: FileError.self) { try set.add([2], to: "/proc/none/b") }
      #expect(scratch.names.count == 3)
    }
    #expect(scratch.names == ["old"])
    let blocked = try set("a", "b", "c")
    try FileManager.default.createDirectory(
      atPath: scratch.path("b"), withIntermediateDirectories: true)
    #expect(throws: FileError.self) { try blocked.commit() }
    #expect(scratch.names == ["b", "old"])
    #expect(try contents(old) == [1])
    try set("a", "old", "c").commit()
    #expect(scratch.names == ["a", "b", "c", "old"])
    #expect(try contents(old) == [2] && contents(scratch.path("c")) == [2])
  }

  @Test func modes() throws {
    let scratch = try Scratch()
    let path = try scratch.file("a.txt", [1])
    #expect(chmod(path, 0o640) == 0)
    try AtomicFile.write([2], to: path)
    #expect(try mode(path) == 0o640)
    try AtomicFile.write([2], to: scratch.path("b.txt"))
    let mask = umask(0)
    umask(mask)
    #expect(try mode(scratch.path("b.txt")) == 0o666 & ~mask)
  }

  private func mode(_ path: String) throws -> mode_t {
    var status = stat()
    try #require(stat(path, &status) == 0)
    return status.st_mode & 0o7777
  }

  @Test func symbolicLinksAreFollowed() throws {
    let scratch = try Scratch()
    let manager = FileManager.default
    try manager.createDirectory(atPath: scratch.path("real"), withIntermediateDirectories: true)
    for (link, target) in [("one", "real/one.txt"), ("two", "one")] {
      try manager.createSymbolicLink(atPath: scratch.path(link), withDestinationPath: target)
    }
    try AtomicFile.write([7], to: scratch.path("two"))
    #expect(try contents(scratch.path("real/one.txt")) == [7])
    #expect(linkTarget(scratch.path("two")) == "one")
    #expect(scratch.names == ["one", "real", "two"])
  }

  @Test func foldersThatCannotBeWritten() throws {
    #expect(throws: FileError.self) { try AtomicFile("/proc/none/a.nii") }
    let scratch = try Scratch()
    #expect(throws: FileError.self) { try AtomicFile.write([1], to: scratch.folder) }
  }
}
