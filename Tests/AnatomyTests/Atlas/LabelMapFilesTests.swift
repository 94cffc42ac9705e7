import Files
import Foundation
import Imaging
import Testing

@testable import Anatomy

@Suite struct LabelMapFilesTests {
  private func touch(_ scratch: Scratch, _ names: String...) throws {
    for name in names {
      let url = URL(fileURLWithPath: scratch.path(name))
      try FileManager.default.createDirectory(
        at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(name.utf8).write(to: url)
    }
  }

  @Test func foldersGiveTheirImagesAlone() throws {
    let scratch = try Scratch()
    try touch(
      scratch, "m/b.nii.gz", "m/a.MGZ", "m/c.hdr", "m/c.img", "m/readme.txt", "m/._b.nii.gz",
      "m/more/d.nii", "m/e.hdr.gz", "m/e.img.gz", "m/d.mgh.gz")
    let files = try LabelMapFiles([scratch.path("m/")])
    #expect(
      files.paths
        == ["a.MGZ", "b.nii.gz", "c.hdr", "d.mgh.gz", "e.hdr.gz"].map { scratch.path("m/" + $0) })
    #expect(files.ignored == 3)
    #expect(files.repeated.isEmpty)
  }

  @Test func orderAndRepetitionDoNotMatter() throws {
    let scratch = try Scratch()
    try touch(scratch, "a/z.nii", "b/y.nii")
    let inputs = [scratch.path("a/z.nii"), scratch.path("b")]
    let files = try LabelMapFiles(inputs)
    #expect(files == (try LabelMapFiles(inputs.reversed() + inputs)))
    #expect(files.paths.map(LabelMapFiles.name(of:)) == ["y", "z"])
  }

  @Test func linksToOneFileCountOnce() throws {
    let scratch = try Scratch()
    try touch(scratch, "m/a.nii")
    try FileManager.default.createSymbolicLink(
      atPath: scratch.path("m/b.nii"), withDestinationPath: "a.nii")
    try FileManager.default.linkItem(
      atPath: scratch.path("m/a.nii"), toPath: scratch.path("m/c.nii"))
    let files = try LabelMapFiles([scratch.path("m")])
    #expect(files.paths == [scratch.path("m/a.nii")])
    #expect(files.repeated.map(\.path) == ["b", "c"].map { scratch.path("m/\($0).nii") })
    #expect(files.repeated.allSatisfy { $0.used == scratch.path("m/a.nii") })
  }

  @Test func oneNameIsOneSubject() throws {
    let scratch = try Scratch()
    try touch(scratch, "a/s.nii.gz", "b/s.mgz")
    let paths = [scratch.path("a/s.nii.gz"), scratch.path("b/s.mgz")]
    #expect(throws: AnatomyError.sameName("s", paths: paths)) {
      try LabelMapFiles([scratch.path("b"), scratch.path("a")])
    }
  }

  @Test func whatIsNotThereIsSaid() throws {
    let scratch = try Scratch()
    #expect(throws: AnatomyError.noMaps(path: scratch.folder)) {
      try LabelMapFiles([scratch.folder])
    }
    #expect(throws: FileError.missing(path: scratch.path("x.nii"))) {
      try LabelMapFiles([scratch.path("x.nii")])
    }
    try FileManager.default.createSymbolicLink(
      atPath: scratch.path("l.nii"), withDestinationPath: "gone.nii")
    #expect(throws: FileError.brokenLink(path: scratch.path("l.nii"), target: "gone.nii")) {
      try LabelMapFiles([scratch.path("l.nii")])
    }
  }
}

@Suite struct AtlasTableTests {
  @Test func headsTakeTheBuiltInTable() throws {
    let structures: [Int32] = [2, 3, 4, 7, 8, 41, 42, 43]
    let head = try LabelTable(labels: (structures + [500]).map { Fixture.label($0) })
    let heads = try AtlasTable(of: Set(structures + [0]), head: head)
    #expect(heads.origin == .head && heads.table == head)
    let more = try AtlasTable(of: Set(structures + [0, 99]), head: head)
    #expect(more.origin == .made && more.foreign == [99])
    // Values of the table's alone, and no head: two organs that happen to be numbered alike.
    let organs = try AtlasTable(of: [0, 2, 3], head: head)
    #expect(organs.origin == .made && organs.foreign.isEmpty)
    #expect(organs.table.labels.map(\.index) == [0, 2, 3])
    #expect(try AtlasTable(of: Set(structures), head: nil).origin == .made)
  }
}
