import Foundation
import Testing

@testable import Imaging

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
    #expect(throws: ImagingError.self) { try AtomicFile("/proc/none/a.nii") }
    let scratch = try Scratch()
    #expect(throws: ImagingError.self) { try AtomicFile.write([1], to: scratch.folder) }
  }
}

@Suite struct OutputGuardTests {
  @Test func whatMayBeWritten() throws {
    let scratch = try Scratch()
    func check(_ path: String, overwrite: Bool = false, inputs: [String] = []) throws {
      try OutputGuard.check(path, overwrite: overwrite, inputs: inputs)
    }
    let input = try scratch.file("in.nii", SampleImage().bytes)
    try check(scratch.path("new.nii"), inputs: [input])
    try check(scratch.path("deep/er/new.nii"), inputs: [input])
    #expect(FileManager.default.fileExists(atPath: scratch.path("deep/er")))
    #expect(throws: ImagingError.outputExists(path: input)) { try check(input) }
    try check(input, overwrite: true)

    let link = scratch.path("link.nii")
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "in.nii")
    for path in [input, link] {
      #expect(throws: ImagingError.outputIsInput(path: path)) {
        try check(path, overwrite: true, inputs: [input])
      }
    }
    let volume = Volume<Int32>(
      grid: .init(extents: SIMD3(3, 3, 3), affine: .identity), repeating: 1)
    for name in ["ours.nii", "ours.nii.gz"] {
      let path = scratch.path(name)
      try ImageWriter.write(labels: volume, like: nil, to: path, description: "segpipe test")
      try check(path)
    }
    let folder = scratch.path("deep")
    #expect(throws: ImagingError.cannotCreate(path: folder, code: EISDIR)) {
      try check(folder, overwrite: true)
    }
    let below = input + "/x.nii"
    #expect(throws: ImagingError.cannotCreate(path: below, code: ENOTDIR)) { try check(below) }
    #expect(throws: ImagingError.self) { try check("/proc/none/x.nii") }
  }
}
