import Testing

/// What an option of a command may be, the same key of a definition may be too, and nothing else.
@Suite struct OptionLimitsTests {
  struct Limit: CustomTestStringConvertible {
    let kind, key, allowed, refused: String

    init(_ kind: String, _ key: String, _ allowed: String, _ refused: String) {
      (self.kind, self.key, self.allowed, self.refused) = (kind, key, allowed, refused)
    }

    var testDescription: String { "\(kind) \(key)" }
  }

  @Test(arguments: [
    Limit("build-atlas", "grid", "8 8 1024", "8 7 1024"),
    Limit("build-atlas", "spacing", "0.05", "20.1"),
    Limit("build-atlas", "smoothing", "20", "20.1"),
    Limit("build-atlas", "refinements", "10", "11"),
    Limit("train-prior", "steps", "100000000", "100000001"),
    Limit("train-prior", "report-every", "100000000", "0"),
    Limit("train-prior", "stop-on-plateau", "1", "0"),
    Limit("train-prior", "checkpoint-every", "100000000", "100000001"),
    Limit("train-prior", "learning-rate", "1e-9", "1e-10"),
    Limit("train-prior", "augmentation", "4", "4.1"),
    Limit("train-prior", "seed", "9007199254740991", "9007199254740992"),
    Limit("train-prior", "beta", "1000000", "inf"),
    Limit("train-prior", "samples", "64", "65"),
    Limit("train-prior", "latent-size", "4096", "4097"),
    Limit("train-context", "tiles", "10000", "0"),
    Limit("segment", "refine", "1000", "1001"),
    Limit("segment", "samples", "64", "0"),
    Limit("segment", "seed", "9007199254740991", "18446744073709551615"),
  ])
  func commandsAndDefinitionsAgree(_ limit: Limit) throws {
    try Scratch.use { folder in
      func command(_ value: String) throws -> Program.Result {
        let before: [String] =
          switch limit.kind {
          case "segment":
            ["segment", folder + "/none.nii", "-o", folder + "/s.nii", "--atlas", folder + "/none"]
          default: [limit.kind, folder + "/none.nii", "--workspace", folder]
          }
        return try Program.run(
          before + ["--" + limit.key] + value.split(separator: " ").map(String.init))
      }
      func definition(_ value: String) throws -> Program.Result {
        let inputs = limit.kind == "segment" ? "scans: none.nii" : "maps: none.nii"
        let atlas = limit.kind == "build-atlas" ? "" : ", atlas: none"
        let text = "stages: {a: {kind: \(limit.kind), \(inputs)\(atlas), \(limit.key): \(value)}}\n"
        try Array(text.utf8).write(to: folder + "/a.yaml")
        return try Program.run(
          "run", folder + "/a.yaml", "--workspace", folder + "/w", "--dry-run")
      }
      for run in [command, definition] {
        let (sound, wrong) = (try run(limit.allowed), try run(limit.refused))
        // Neither gets far, for there are no such input and atlas: a plan of scans alone may be made all the same.
        #expect(
          [0, 66].contains(sound.status) && !sound.errors.contains(limit.key), "\(sound.errors)")
        #expect(
          [64, 65].contains(wrong.status) && wrong.errors.contains(limit.key), "\(wrong.errors)")
      }
    }
  }
}
