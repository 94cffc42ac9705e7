import Files
import Foundation
import Imaging
import Testing

@testable import Anatomy

@Suite struct AtlasFilesTests {
  private func atlas(_ name: String = "small", space: String = "own") throws -> Atlas {
    let grid = Fixture.grid(6, 5, 4, spacing: 2)
    let table = try Fixture.table(
      Fixture.label(3, partner: 5), Fixture.label(5, partner: 3), Fixture.label(300, mapping: 4))
    let prior = Fixture.prior(grid, table, outside: [0.5, 0.25, 0.25, 0]) { label, voxel in
      let first = UInt8(voxel.x * 40 + voxel.y)
      return [255 - first, first, 0, 0][label]
    }
    var volumes = [VolumeStatistics](repeating: VolumeStatistics(), count: 4)
    for volume in [120.5, 130.25, 128] { volumes[1].add(volume) }
    return Atlas(
      name: name, space: space, prior: prior, volumes: volumes,
      origin: AtlasOrigin(maps: 3, mirrored: true, smoothing: 1.5, refinements: 2))
  }

  private func write(_ atlas: Atlas, _ folder: String) throws {
    try AtlasFiles.write(
      atlas, to: folder, license: "CC0", generator: "segpipe test", maps: Array("map\n".utf8))
  }

  /// A written atlas, and the beginning of its files' names.
  private func written(_ scratch: Scratch) throws -> String {
    try write(try atlas(), scratch.path("a"))
    return scratch.path("a/tpl-own/tpl-own_atlas-small")
  }

  @Test func whatIsWrittenIsRead() throws {
    let scratch = try Scratch()
    let atlas = try atlas()
    try write(atlas, scratch.path("a"))
    let read = try AtlasFiles.read(scratch.path("a"))
    #expect(read.name == "small" && read.space == "own")
    #expect(read.origin == atlas.origin)
    #expect(read.prior.table == atlas.prior.table)
    #expect(read.prior.grid == atlas.prior.grid)
    #expect(read.prior.outside == atlas.prior.outside)
    #expect(read.prior.starts == atlas.prior.starts)
    #expect(read.prior.entries == atlas.prior.entries)
    #expect(read.volumes[1].count == 3)
    #expect(abs(read.volumes[1].mean - atlas.volumes[1].mean) < 0.05)
    #expect(abs(read.volumes[1].deviation - atlas.volumes[1].deviation) < 0.05)
    #expect(read.volumes[2].count == 0)
    #expect(!scratch.names.contains { $0.hasSuffix(".tmp") })
  }

  @Test func anOlderAtlasOfAnotherNameIsRemoved() throws {
    let scratch = try Scratch()
    let folder = scratch.path("a")
    try write(try atlas("old", space: "older"), folder)
    try Data("notes".utf8).write(to: URL(fileURLWithPath: folder + "/README.md"))
    try AtlasFolder(folder).check(name: "small", overwrite: false)
    try write(try atlas(), folder)
    #expect(try AtlasFiles.read(folder).name == "small")
    #expect(!scratch.names.contains { $0.contains("old") })
    #expect(scratch.names.contains("a/README.md"))
  }

  @Test func foreignFoldersAreRefused() throws {
    let scratch = try Scratch()
    let folder = scratch.path("mine")
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try AtlasFolder(folder).check(name: "small", overwrite: false)
    try Data("notes".utf8).write(to: URL(fileURLWithPath: folder + "/thesis.txt"))
    #expect(throws: ImagingError.outputExists(path: folder)) {
      try AtlasFolder(folder).check(name: "small", overwrite: false)
    }
    try AtlasFolder(folder).check(name: "small", overwrite: true)
    // Another program's atlas is foreign, too.
    let other = scratch.path("other")
    try FileManager.default.createDirectory(atPath: other, withIntermediateDirectories: true)
    try Data("{}".utf8).write(to: URL(fileURLWithPath: other + "/atlas-X_description.json"))
    #expect(throws: ImagingError.outputExists(path: other)) {
      try AtlasFolder(other).check(name: "small", overwrite: false)
    }
    let file = folder + "/thesis.txt"
    #expect(throws: FileError.cannotCreate(path: file, code: ENOTDIR)) {
      try AtlasFolder(file).check(name: "small", overwrite: true)
    }
  }

  @Test func whatAnInterruptedRunLeftMayBeReplaced() throws {
    let scratch = try Scratch()
    _ = try written(scratch)
    let folder = scratch.path("a")
    try FileManager.default.removeItem(atPath: folder + "/atlas-small_description.json")
    try Data().write(to: URL(fileURLWithPath: folder + "/tpl-own/.segpipe-1-1.tmp"))
    try AtlasFolder(folder).check(name: "small", overwrite: false)
    try write(try atlas(), folder)
    #expect(try AtlasFiles.read(folder).name == "small")
  }

  // MARK: What is not an atlas

  private func expectBad(_ folder: String, _ path: String, found: String) {
    do {
      _ = try AtlasFiles.read(folder)
      Issue.record("\(path) was accepted")
    } catch AnatomyError.badAtlas(let named, let text, let expected) {
      #expect(named == path)
      #expect(text == found)
      #expect(!expected.isEmpty)
    } catch {
      Issue.record("\(error)")
    }
  }

  @Test func descriptionsAreOne() throws {
    let scratch = try Scratch()
    expectBad(scratch.folder, scratch.folder, found: "no atlas-NAME_description.json")
    #expect(throws: FileError.missing(path: scratch.path("none"))) {
      try AtlasFiles.read(scratch.path("none"))
    }
    _ = try written(scratch)
    let folder = scratch.path("a")
    try Data("{}".utf8).write(to: URL(fileURLWithPath: folder + "/atlas-b_description.json"))
    expectBad(folder, folder, found: "atlas-b_description.json, atlas-small_description.json")
  }

  @Test func sidecarsAreThereAndWhole() throws {
    let scratch = try Scratch()
    let stem = try written(scratch)
    let sidecar = stem + "_res-1_probseg.json"
    let whole = try Data(contentsOf: URL(fileURLWithPath: sidecar))
    try Data("{".utf8).write(to: URL(fileURLWithPath: sidecar))
    expectBad(scratch.path("a"), sidecar, found: "not the expected JSON")
    let other = String(decoding: whole, as: UTF8.self).replacing("label-300", with: "label-301")
    try Data(other.utf8).write(to: URL(fileURLWithPath: sidecar))
    expectBad(scratch.path("a"), sidecar, found: "another list of labels")
    try FileManager.default.removeItem(atPath: sidecar)
    expectBad(scratch.path("a"), sidecar, found: "no such file")
  }

  @Test func probabilitiesBeyondTheGridSumToOne() throws {
    let scratch = try Scratch()
    let sidecar = try written(scratch) + "_res-1_probseg.json"
    let url = URL(fileURLWithPath: sidecar)
    let whole = try JSONSerialization.jsonObject(with: Data(contentsOf: url))
    for outside in [
      [2.0, 0, 0, 0], [1.5, -0.5, 0, 0], [0, 0, 0, 0], [1.005, 0, 0, 0],
    ] {
      var object = try #require(whole as? [String: Any])
      object["OutsideProbabilities"] = outside
      try JSONSerialization.data(withJSONObject: object).write(to: url)
      let texts = outside.map { "\(Float($0))" }.joined(separator: ", ")
      expectBad(scratch.path("a"), sidecar, found: "OutsideProbabilities \(texts)")
    }
  }

  @Test func labelsAreNotTooMany() throws {
    let scratch = try Scratch()
    let stem = try written(scratch)
    let (table, sidecar) = (stem + "_res-1_probseg.tsv", stem + "_res-1_probseg.json")
    let rows = (0..<300).map { "\($0)\tlabel \($0)" }
    try Data((["index\tname"] + rows).joined(separator: "\n").utf8)
      .write(to: URL(fileURLWithPath: table))
    let url = URL(fileURLWithPath: sidecar)
    let whole = try JSONSerialization.jsonObject(with: Data(contentsOf: url))
    var object = try #require(whole as? [String: Any])
    object["LabelMap"] = (0..<300).map { "label \($0)" }
    object["OutsideProbabilities"] = [1.0] + [Double](repeating: 0, count: 299)
    try JSONSerialization.data(withJSONObject: object).write(to: url)
    expectBad(scratch.path("a"), table, found: "300 labels")
  }

  @Test func probabilitiesHaveAVolumeForEachLabel() throws {
    let scratch = try Scratch()
    let stem = try written(scratch)
    let path = stem + "_res-1_probseg.nii.gz"
    let grid = Fixture.grid(6, 5, 4, spacing: 2)
    let writer = try VolumeStreamWriter(path, grid: grid, volumes: 2, type: .uint8)
    for _ in 0..<2 { try writer.write([UInt8](repeating: 1, count: grid.count)) }
    try writer.commit()
    expectBad(scratch.path("a"), path, found: "2 volumes")
    let all = try VolumeStreamWriter(path, grid: grid, volumes: 4, type: .uint8)
    for label in 0..<4 {
      try all.write((0..<grid.count).map { $0 == 7 ? 0 : UInt8(label == 1 ? 255 : 0) })
    }
    try all.commit()
    expectBad(scratch.path("a"), path, found: "probabilities that sum to 0/255 at voxel 7")
  }

  @Test func volumesNameLabelsOfTheTable() throws {
    let scratch = try Scratch()
    let path = try written(scratch) + "_volumes.tsv"
    let text = try String(contentsOfFile: path, encoding: .utf8)
    try (text + "17\tx\t0\tn/a\tn/a\tn/a\tn/a\n").write(
      toFile: path, atomically: true, encoding: .utf8)
    expectBad(
      scratch.path("a"), path, found: "line '17\tx\t0\tn/a\tn/a\tn/a\tn/a'")
  }
}
