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

  @Test func whatIsNoFolder() throws {
    let scratch = try Scratch()
    let (file, missing) = (try scratch.file("file", []), scratch.path("none"))
    try link(scratch.path("loop"), to: "loop")
    #expect(throws: FileError.missing(path: missing)) { try Folder.files(in: missing) }
    #expect(throws: FileError.unreadable(path: file, code: ENOTDIR)) {
      try Folder.files(in: file)
    }
    #expect(throws: FileError.unreadable(path: scratch.path("loop"), code: ELOOP)) {
      try Folder.names(in: scratch.path("loop"))
    }
  }
}
