import Foundation
import Testing

@testable import Anatomy

/// Which trained prior is used, and with which atlas.
@Suite struct PriorChoiceTests {
  @Test func theNearestPriorIsChosen() throws {
    let scratch = try Scratch()
    for name in ["built-in/head", "work/atlas", "work/prior", "mine"] {
      try FileManager.default.createDirectory(
        atPath: scratch.path(name), withIntermediateDirectories: true)
    }
    func make(_ name: String) throws {
      try Data("{}".utf8).write(to: URL(fileURLWithPath: scratch.path(name)))
    }
    let (work, mine, head) = (
      scratch.path("work"), scratch.path("mine"), scratch.path("built-in/head")
    )
    let locator = AtlasLocator(environment: ["SEGPIPE_ATLASES": scratch.path("built-in")])
    func choose(_ prior: String? = nil, atlas: String? = nil) throws -> PriorChoice {
      try PriorChoice.choose(prior: prior, atlas: atlas, workspace: work, locator: locator)
    }
    func chooseByDefault() throws -> PriorChoice {
      try PriorChoice.choose(prior: nil, atlas: nil, workspace: nil, locator: locator)
    }
    func expect(
      _ choice: PriorChoice, _ source: AtlasChoice.Source, _ file: String,
      _ atlas: AtlasChoice.Source, _ folder: String
    ) {
      let expected = PriorChoice(
        source: source, file: file, atlas: AtlasChoice(source: atlas, folder: folder))
      #expect(choice == expected)
    }
    let name = "/prior.safetensors"
    #expect(throws: AnatomyError.noPrior(tried: [head + name])) { try chooseByDefault() }
    try make("built-in/head" + name)
    expect(try chooseByDefault(), .builtIn, head + name, .builtIn, head)
    expect(try choose("a.safetensors"), .given, "a.safetensors", .builtIn, head)
    // Nothing built-in stands in for what a workspace that is named lacks.
    let none = AnatomyError.noPrior(tried: [work + "/prior" + name])
    #expect(throws: none) { try choose() }
    try make("work/atlas/atlas-liver_description.json")
    #expect(throws: none) { try choose() }
    #expect(throws: AnatomyError.noPrior(tried: [mine + name, work + "/prior" + name])) {
      try choose(atlas: mine)
    }
    try make("work/prior" + name)
    expect(try choose(), .workspace, work + "/prior" + name, .workspace, work + "/atlas")
    expect(try choose(atlas: mine), .workspace, work + "/prior" + name, .given, mine)
    try make("mine" + name)
    expect(try choose(atlas: mine), .given, mine + name, .given, mine)
    expect(try choose("a.safetensors", atlas: mine), .given, "a.safetensors", .given, mine)
  }
}
