import Files
import Foundation
import Pipelines
import Testing

/// Definitions in YAML: what they mean, and where they are wrong.
@Suite struct DefinitionTests {
  private static let text = """
    pipeline: study
    about: For tests.
    parameters:
      scans: {about: A folder}
      atlas:
      power: {default: 2}
      maps: {default: [a, /b]}
    stages:
      first:
        kind: join
        maps: ${maps}
      second:
        kind: mark
        scans: ${scans}
        atlas: ${first.joined}
        name: p${power}-x
        power: ${power}
        warp: no

    """

  /// What the kinds were asked for.
  private final class Asked {
    var lines: [String] = []
  }

  private func kinds(_ asked: Asked) -> [StageKind] {
    [
      StageKind("join", keys: [.init("maps", .paths, isRequired: true)]) { request in
        asked.lines.append("\(request.name): \(request.places("maps"))")
        return StageExpansion([], results: ["joined": .workspace("first/out")])
      },
      StageKind(
        "mark",
        keys: [
          .init("scans", .path, isRequired: true), .init("atlas", .path), .init("name", .text),
          .init("power", .integer(1...5)), .init("warp", .flag), .init("share", .number(0...1)),
          .init("form", .choice(["a", "b"])),
        ]
      ) { request in
        let places = [request.place("scans"), request.place("atlas")].compactMap { $0 }
        asked.lines.append(
          "\(request.name): \(places) \(request.text("name") ?? "") \(request.integer("power") ?? 0) "
            + "\(request.flag("warp") ?? true)")
        return StageExpansion([])
      },
    ]
  }

  private func expand(_ text: String, _ settings: [String], in scratch: Scratch) throws -> [String]
  {
    try scratch.write(text, "d/study.yaml")
    let asked = Asked()
    let definition = try Definition(scratch.path("d/study.yaml"), settings: settings)
    _ = try definition.stages(kinds: kinds(asked), in: Workspace("w"))
    return asked.lines
  }

  @Test func placesParametersAndReferences() throws {
    let scratch = try Scratch()
    let folder = scratch.path("d")
    #expect(
      try expand(Self.text, ["scans=in/put", "power=3"], in: scratch) == [
        "first: \([Location.outside(folder + "/a"), .outside("/b")])",
        "second: \([Location.outside("in/put"), .workspace("first/out")]) p3-x 3 false",
      ])
    let definition = try Definition(scratch.path("d/study.yaml"))
    #expect(definition.name == "study" && definition.about == "For tests.")
    #expect(definition.parameters.map(\.name) == ["scans", "atlas", "power", "maps"])
  }

  /// A change to the text, and what is found wrong on which line.
  @Test(arguments: [
    ("about: For", "abuot: For", 2, "unknownKey(\"abuot\""),
    ("kind: mark", "kind: marc", 13, "unknownKind(\"marc\", known: [\"join\", \"mark\"])"),
    ("warp: no", "wrap: no", 18, "unknownKey(\"wrap\""),
    ("warp: no", "warp: maybe", 18, "wrongType(what: \"warp\", found: \"\\'maybe\\'\""),
    ("warp: no", "warp: [no, yes]", 18, "wrongType(what: \"warp\", found: \"a list\""),
    ("warp: no", "warp: {a: b}", 18, "wrongType(what: \"warp\", found: \"keys with values\""),
    ("warp: no", "share: 2", 18, "expected: \"a number from 0.0 to 1.0\""),
    ("warp: no", "form: c", 18, "expected: \"a or b\""),
    ("warp: no", "power: 1.5", 17, "repeatedKey"),
    ("power: ${power}", "power: 1.5", 17, "expected: \"a whole number from 1 to 5\""),
    ("${first.joined}", "${fist.joined}", 15, "unknownReference(\"fist.joined\""),
    ("${first.joined}", "${first.joined", 15, "syntax"),
    ("${first.joined}", "${atlas}", 15, "noValue(parameter: \"atlas\", about: \"\")"),
    ("power: ${power}", "form: ${maps}", 7, "found: \"a list\", expected: \"a single value\""),
    ("p${power}-x", "p${maps}-x", 16, "what: \"\\'maps\\' within \\'p${maps}-x\\'\""),
    ("scans: ${scans}", "scans: ${maps}/x", 14, "found: \"a list\""),
    ("{default: 2}", "{default: \"${scans}\"}", 6, "found: \"\\'${scans}\\'\""),
    ("[a, /b]", "[a, \"${scans}/b\"]", 7, "the default of \\'maps\\'"),
    ("  second:", "  Second:", 12, "badName(\"Second\")"),
    ("  second:", "  ../second:", 12, "badName"),
    ("    scans: ${scans}\n", "", 13, "missingKey(\"scans\")"),
    ("    kind: join\n", "", 10, "missingKey(\"kind\")"),
    ("power: {default: 2}", "power: {defualt: 2}", 6, "unknownKey(\"defualt\""),
    ("  first:", "  first: [", 11, "syntax"),
    ("  first:", "\tfirst:", 9, "syntax"),
  ])
  func faultsNameTheirLine(old: String, new: String, line: Int, words: String) throws {
    let scratch = try Scratch()
    let text = Self.text.replacing(old, with: new)
    let error = #expect(throws: DefinitionError.self) {
      try expand(text, ["scans=s"], in: scratch)
    }
    guard case .file(_, let found)? = error?.place else {
      Issue.record("no place: \(error as Any)")
      return
    }
    let problem = "\(error?.problem as Any)"
    #expect(problem.contains(words), "\(problem)")
    #expect(found == line, "\(problem)")
  }

  @Test func faultsOfTheCommandLine() throws {
    let scratch = try Scratch()
    func problem(_ settings: [String]) throws -> DefinitionError? {
      #expect(throws: DefinitionError.self) { try expand(Self.text, settings, in: scratch) }
    }
    #expect(
      try problem(["scans=s", "powr=1"])
        == DefinitionError(
          .option("powr=1"),
          .unknownParameter("powr", known: ["scans", "atlas", "power", "maps"])))
    #expect(try problem(["scans"])?.problem == .notASetting)
    #expect(
      try problem(["scans=s", "power=1", "scans=t"])
        == DefinitionError(.option("scans=t"), .repeatedKey("scans")))
    #expect(try problem([])?.problem == .noValue(parameter: "scans", about: "A folder"))
    // What was set is wrong, not the definition that uses it.
    #expect(try problem(["scans=s", "power=9"])?.place == .option("power=9"))
  }

  /// Thousands of scans in a list, each with brackets of its own, and lines that end as Windows ends them.
  @Test func longListsAreRead() throws {
    let scratch = try Scratch()
    let scans = (0..<2000).map { "    - ${power}/s\($0).nii\n" }.joined()
    let start = "parameters:\n  power: {default: 2}\nstages:\n  a:\n    kind: join\n    maps:\n"
    let text = start + scans
    for text in [text, text.replacing("\n", with: "\r\n")] {
      let lines = try expand(text, [], in: scratch)
      #expect(lines.first?.contains("/d/2/s1999.nii") ?? false)
    }
    let flow = (0..<2000).map { "[${power}/s\($0).nii]" }.joined(separator: ", ")
    #expect(throws: DefinitionError.self) {
      try expand(text.replacing("\n" + scans, with: " [\(flow)]\n"), [], in: scratch)
    }
  }

  @Test func whatIsNoDefinition() throws {
    let scratch = try Scratch()
    try FileManager.default.createDirectory(
      atPath: scratch.path("d"), withIntermediateDirectories: true)
    #expect(throws: FileError.missing(path: scratch.path("none"))) {
      try Definition(scratch.path("none"))
    }
    #expect(throws: DefinitionError.self) { try Definition(scratch.folder) }
    for text in [
      "", "stages:", "stages: {}", "- a", "a: b: c", "stages: &a [*a]", "\u{feff}", "{",
      String(repeating: "[", count: 100_000), String(repeating: "- ", count: 100_000),
      String(repeating: "[\n", count: 100_000), String(repeating: "{a: ", count: 60_000),
      String(repeating: "? ", count: 100_000), String(repeating: "[? ", count: 80_000),
      String(repeating: "a: [\n", count: 50_000),
      (0..<700).map { String(repeating: " ", count: $0) + "a:\n" }.joined(),
      String(repeating: "[", count: 999) + String(repeating: "]", count: 999),
      String(repeating: "a", count: 300_000), "stages: 1\n---\nstages: 2", "a\0b",
    ] {
      #expect(throws: DefinitionError.self, "\(text.prefix(20))") {
        _ = try expand(text, [], in: scratch)
      }
    }
    try Data([0x61, 0xff]).write(to: URL(fileURLWithPath: scratch.path("latin.yaml")))
    #expect(throws: DefinitionError.self) { try Definition(scratch.path("latin.yaml")) }
  }
}
