import Files
import Foundation
import Testing

@testable import Pipelines

/// When stages are done again, and when not.
@Suite struct ReuseTests {
  @Test func whatHoldsIsReused() throws {
    let study = try Study()
    #expect(try study.run() == [])
    #expect(study.worked == study.all)
    #expect(
      study.scratch.text("work/sum.txt") == "<one+two>scan a\n<one+two>scan b\n<one+two>scan c")
    let files = study.scratch.files("work")
    #expect(files.filter { $0.contains(".stage") || $0.contains(".tmp") } == [])
    #expect(try study.run() == [])
    #expect(study.worked == [])
    #expect(study.scratch.files("work") == files)
  }

  @Test func neitherPlaceNorTimeNorStampsCount() throws {
    let study = try Study()
    try study.run()
    let manager = FileManager.default
    try manager.moveItem(
      atPath: study.scratch.path("work"), toPath: study.scratch.path("elsewhere"))
    study.workspace = "elsewhere"
    for file in ["scans/a", "maps/1", "elsewhere/mark/b.txt", "elsewhere/model/text"] {
      try manager.setAttributes(
        [.modificationDate: Date(timeIntervalSince1970: 7)],
        ofItemAtPath: study.scratch.path(file))
    }
    // A copy is another file with the same content.
    try manager.moveItem(atPath: study.scratch.path("scans/c"), toPath: study.scratch.path("c"))
    try manager.copyItem(atPath: study.scratch.path("c"), toPath: study.scratch.path("scans/c"))
    try study.run()
    #expect(study.worked == [])
    var verify = RunOptions()
    verify.verifies = true
    try study.run(verify)
    #expect(study.worked == [])
  }

  @Test func wordsBesideDataDoNotCount() throws {
    let study = try Study()
    try study.scratch.write("What this is.", "maps/README.md")
    try study.run()
    try study.scratch.write("What else this is.", "maps/README.md")
    try study.scratch.write("More.", "maps/deep/notes.MD")
    try study.run()
    #expect(study.worked == [])
  }

  @Test func oneChangeRedoesWhatDependsOnIt() throws {
    let study = try Study()
    try study.run()
    try study.scratch.write("scan B", "scans/b")
    try study.run()
    #expect(study.worked == ["mark/b", "sum"])
    #expect(study.events.first == "mark/b: \([RedoReason.inputChanged(name: "scan")])")

    try study.scratch.write("Two", "maps/deep/2")
    try study.run()
    #expect(study.worked == study.all)
    #expect(
      study.events.prefix(2) == [
        "model: \([RedoReason.inputChanged(name: "maps/deep/2")])",
        "mark/a: \([RedoReason.inputChanged(name: "model/text")])",
      ])

    study.prefix = "["
    try study.run()
    #expect(study.worked == ["mark/a", "mark/b", "mark/c", "sum"])
    let change = RedoReason.parameterChanged(name: "prefix", from: .text("<"), to: .text("["))
    #expect(study.events.first == "mark/a: \([change])")

    // Another version that gives the same is the end of it.
    study.version = 2
    try study.run()
    #expect(study.worked == ["model"])
    #expect(study.events == ["model: \([RedoReason.versionChanged(from: 1, to: 2)])"])

    try study.scratch.write("three", "maps/3")
    try study.run()
    #expect(study.worked == ["model"])
    try FileManager.default.removeItem(atPath: study.scratch.path("maps/3"))
    try study.run()
    #expect(study.events == ["model: \([RedoReason.inputRemoved(name: "maps/3")])"])
  }

  /// A folder that is a link, one in it, and one that leads to itself.
  @Test func foldersAreReadThroughLinks() throws {
    let study = try Study()
    let manager = FileManager.default
    try manager.moveItem(
      atPath: study.scratch.path("maps/deep"), toPath: study.scratch.path("below"))
    try manager.moveItem(atPath: study.scratch.path("maps"), toPath: study.scratch.path("all"))
    for (link, target) in [("all/deep", "../below"), ("maps", "all"), ("below/again", "../all")] {
      try manager.createSymbolicLink(
        atPath: study.scratch.path(link), withDestinationPath: target)
    }
    #expect(try study.run() == [])
    try study.scratch.write("One", "all/1")
    try study.run()
    #expect(study.events.first == "model: \([RedoReason.inputChanged(name: "maps/1")])")
    try study.scratch.write("Two", "below/2")
    try study.run()
    #expect(study.events.first == "model: \([RedoReason.inputChanged(name: "maps/deep/2")])")
    #expect(study.scratch.text("work/model/text") == "One+Two")
    try study.run()
    #expect(study.worked == [])
  }

  @Test func damagedOutputsAreMadeAgain() throws {
    let study = try Study()
    try study.run()
    let whole = try #require(study.scratch.text("work/mark/b.txt"))
    for damage in ["", String(whole.dropLast()), whole.replacing("s", with: "r")] {
      try study.scratch.write(damage, "work/mark/b.txt")
      try study.run()
      #expect(study.worked == ["mark/b"])
      #expect(study.scratch.text("work/mark/b.txt") == whole)
    }
    try FileManager.default.removeItem(atPath: study.scratch.path("work/model/text"))
    try study.run()
    #expect(study.worked == ["model"])
  }

  /// Every length that a record can be cut to, and every bit of it flipped: the stage is done again, and the
  /// reason given is the record.
  @Test func damagedRecordsNeverHold() throws {
    let study = try Study()
    study.scans = ["a"]
    try study.run()
    let path = study.scratch.path("work/.segpipe/records/mark/a.json")
    let whole = try Data(contentsOf: URL(fileURLWithPath: path))
    var damaged = [Data(), Data([0xff, 0xfe]), whole + Data("x".utf8)]
    damaged += stride(from: 1, to: whole.count, by: 41).map { whole.prefix($0) }
    for place in stride(from: 0, to: whole.count, by: 29) {
      var changed = whole
      changed[place] ^= 1 << (place % 7)
      damaged.append(changed)
    }
    for data in damaged {
      try data.write(to: URL(fileURLWithPath: path))
      try study.run()
      #expect(study.events == ["mark/a: \([RedoReason.damagedRecord])"])
    }
    try FileManager.default.removeItem(atPath: path)
    try study.run()
    #expect(study.worked == ["mark/a"])
  }

  @Test func outdatedOutputsGoWithTheStageThatMadeThem() throws {
    let study = try Study()
    try study.run()
    study.scans = ["a", "b"]
    try study.run()
    #expect(study.worked == ["sum"])
    // Another stage's place is taken over by none: what is no longer asked for stays.
    #expect(study.scratch.text("work/mark/c.txt") != nil)
  }

  /// An unchanged stamp saves hashing, unless every file is to be hashed.
  @Test func stampsVouchForContent() throws {
    let scratch = try Scratch()
    try scratch.write("text", "a")
    let path = scratch.path("a")
    let (truth, stamp) = (try FileDigest(of: path), try #require(FileStamp(of: path)))
    let entry = Record.Entry("a", FileDigest(sha256: "recorded", stamp: stamp))
    #expect(try FileLedger().digest(path, recorded: entry).sha256 == "recorded")
    #expect(try FileLedger(rehashes: true).digest(path, recorded: entry) == truth)
    try scratch.write("TEXT", "a")
    #expect(try FileLedger().digest(path, recorded: entry).sha256 != "recorded")
  }
}
