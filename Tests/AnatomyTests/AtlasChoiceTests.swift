import Foundation
import Testing

@testable import Anatomy

/// Which atlas is used: the given one, else the workspace's, else the built-in.
@Suite struct AtlasChoiceTests {
  @Test func theNearestFinishedAtlasIsChosen() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: folder) }
    for name in ["built-in/head", "work/atlas"] {
      try FileManager.default.createDirectory(
        at: folder.appendingPathComponent(name), withIntermediateDirectories: true)
    }
    let locator = AtlasLocator(environment: ["SEGPIPE_ATLASES": folder.path + "/built-in"])
    let work = folder.path + "/work"
    func choose(_ given: String?) throws -> AtlasChoice {
      try AtlasChoice.choose(given: given, workspace: work, locator: locator)
    }
    // A folder without a description was never finished.
    #expect(
      try choose(nil)
        == AtlasChoice(source: .builtIn, folder: folder.path + "/built-in/head"))
    try Data("{}".utf8).write(
      to: folder.appendingPathComponent("work/atlas/atlas-liver_description.json"))
    #expect(try choose(nil) == AtlasChoice(source: .workspace, folder: work + "/atlas"))
    #expect(try choose("other") == AtlasChoice(source: .given, folder: "other"))
  }
}
