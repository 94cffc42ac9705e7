import Foundation
import TestSupport
import Testing

@testable import Files

@Suite struct FolderTests {
  private func link(_ path: String, to target: String) throws {
    try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: target)
  }

  @Test func filesAreFoundThroughLinks() throws {
    let scratch = try Scratch()
    for folder in ["a/b", "other/.hidden"] {
      try FileManager.default.createDirectory(
        atPath: scratch.path(folder), withIntermediateDirectories: true)
    }
    for file in ["a/2", "a/b/1", "a/.no", "other/3", "other/.hidden/4", "single"] {
      _ = try scratch.file(file, [1])
    }
    try link(scratch.path("a/file"), to: "../single")
    try link(scratch.path("a/gone"), to: "nowhere")
    try link(scratch.path("a/more"), to: "../other")
    try link(scratch.path("a/twice"), to: "../other")
    // Loops: to the folder itself, to one above it, and by way of another.
    try link(scratch.path("a/b/self"), to: ".")
    try link(scratch.path("a/b/above"), to: "..")
    try link(scratch.path("other/back"), to: "../a")
    mkfifo(scratch.path("a/pipe"), 0o600)
    try link(scratch.path("whole"), to: "a")
    let found = ["2", "b/1", "file", "more/3", "twice/3"]
    #expect(try Folder.files(in: scratch.path("a")) == found)
    #expect(try Folder.files(in: scratch.path("whole")) == found)
    #expect(try Folder.files(in: scratch.path("whole/")) == found)
    #expect(try Folder.names(in: scratch.path("other")) == [".hidden", "3", "back"])
  }

  @Test func foldersAreMadeWithThoseThatHoldThem() throws {
    let scratch = try Scratch()
    try Folder.make(scratch.path("a/b/c"))
    try Folder.make(scratch.path("a/b/c"))
    try link(scratch.path("l"), to: "a")
    try Folder.make(scratch.path("l/d/"))
    #expect(try Folder.names(in: scratch.path("a")) == ["b", "d"])
    let file = try scratch.file("file", [])
    for path in [file, file + "/x", file + "/x/y"] {
      #expect(throws: FileError.cannotCreate(path: "out", code: ENOTDIR)) {
        try Folder.make(path, for: "out")
      }
    }
    #expect(throws: FileError.cannotCreate(path: file, code: ENOTDIR)) { try Folder.make(file) }
    try link(scratch.path("gone"), to: "nowhere")
    #expect(throws: FileError.cannotCreate(path: scratch.path("gone"), code: ENOENT)) {
      try Folder.make(scratch.path("gone"))
    }
    #expect(throws: FileError.self) { try Folder.make("/proc/none/x") }
  }

  @Test func foldersWithoutSyncAreNoFault() throws {
    let scratch = try Scratch()
    try Folder.sync(scratch.folder)
    try Folder.sync(scratch.path("none"))
    try Folder.sync("/proc")
  }

  @Test func identityIsThatOfTheFile() throws {
    let scratch = try Scratch()
    let (file, other) = (try scratch.file("file", [1]), try scratch.file("other", [1]))
    try link(scratch.path("l"), to: "file")
    try FileManager.default.linkItem(atPath: file, toPath: scratch.path("hard"))
    let identity = try #require(FileIdentity(of: file))
    #expect(FileIdentity(of: scratch.path("l")) == identity)
    #expect(FileIdentity(of: scratch.path("hard")) == identity)
    #expect(FileIdentity(of: other) != identity)
    #expect(FileIdentity(of: scratch.path("none")) == nil)
    let opened = open(file, O_RDONLY)
    defer { close(opened) }
    #expect(FileIdentity(descriptor: opened) == identity)
    #expect(FileIdentity(descriptor: -1) == nil)
  }

  @Test func whatIsNoFolder() throws {
    let scratch = try Scratch()
    let (file, missing) = (try scratch.file("file", []), scratch.path("none"))
    try link(scratch.path("loop"), to: "loop")
    #expect(throws: FileError.missing(path: missing)) { try Folder.files(in: missing) }
    #expect(throws: FileError.wrongKind(path: file, found: .file, expected: .folder)) {
      try Folder.files(in: file)
    }
    #expect(throws: FileError.unreadable(path: scratch.path("loop"), code: ELOOP)) {
      try Folder.names(in: scratch.path("loop"))
    }
  }
}
