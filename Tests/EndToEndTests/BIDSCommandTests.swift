import Foundation
import Imaging
import Testing
import segpipe

/// `segpipe bids` on a small dataset, and names of BIDS files.
@Suite struct BIDSCommandTests {
  @Test func namesKeepTheirOrder() throws {
    let name = try #require(BIDSName("sub-01_ses-2_acq-fast_run-1_chunk-3_T1w.nii.gz"))
    #expect(name["ses"] == "2" && name.suffix == "T1w" && name.ending == ".nii.gz")
    #expect(name.stem == "sub-01_ses-2_acq-fast_run-1_chunk-3_T1w")
    #expect(
      name.derived([("space", "orig"), ("atlas", "head"), ("desc", "x")], suffix: "dseg")
        == "sub-01_ses-2_acq-fast_run-1_space-orig_chunk-3_atlas-head_desc-x_dseg")
    for wrong in ["T1w.nii", "ses-1_sub-1_T1w.nii", "sub-1_ses_T1w.nii", "sub-1_T1w", ".nii"] {
      #expect(BIDSName(wrong) == nil, "\(wrong)")
    }
  }

  /// Three participants, one of them with sessions, one with a file that is no image.
  private struct Dataset {
    let folder: String
    var raw: String { folder + "/raw" }
    var out: String { folder + "/raw/derivatives/segpipe" }

    init(_ folder: String) throws {
      self.folder = folder
      for path in ["sub-01/anat", "sub-02/ses-a/anat", "sub-03/anat"] {
        try FileManager.default.createDirectory(
          atPath: "\(folder)/raw/\(path)", withIntermediateDirectories: true)
      }
      try Data(#"{"Name": "Test", "BIDSVersion": "1.10.0", "DatasetType": "raw"}"#.utf8).write(
        to: URL(fileURLWithPath: raw + "/dataset_description.json"))
      for path in ["sub-01/anat/sub-01_T1w.nii.gz", "sub-02/ses-a/anat/sub-02_ses-a_T2w.nii.gz"] {
        try ImageWriter.write(
          scan: TinyAtlas.scan(), like: nil, to: "\(raw)/\(path)", description: "test")
      }
      try Array("no image".utf8).write(to: raw + "/sub-03/anat/sub-03_T1w.nii")
      try Array("not wanted".utf8).write(to: raw + "/sub-03/anat/sub-03_notes.txt")
    }

    func bids(_ level: String, _ more: String...) throws -> Program.Result {
      try Program.run(
        ["bids", raw, out, level, "--atlas", TinyAtlas.folder, "--suffix", "T1w", "T2w"] + more)
    }

    /// Files of the output that people see.
    func names() throws -> [String] {
      try FileManager.default.subpathsOfDirectory(atPath: out).filter { path in
        !path.hasPrefix(".segpipe") && !ScanFolders.isFolder(out + "/" + path)
      }.sorted()
    }

    func json(_ path: String) throws -> [String: Any] {
      let data = try Data(contentsOf: URL(fileURLWithPath: "\(out)/\(path)"))
      return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    }
  }

  private enum ScanFolders {
    static func isFolder(_ path: String) -> Bool {
      var isFolder: ObjCBool = false
      _ = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
      return isFolder.boolValue
    }
  }

  @Test func participantsThenGroup() throws {
    try Scratch.use { folder in
      let dataset = try Dataset(folder)
      let planned = try dataset.bids("participant", "--dry-run", "--participant-label", "sub-01")
      #expect(planned.output == "run\tsegment/sub-01_T1w\tnot done yet\n", "\(planned.errors)")
      #expect(!FileManager.default.fileExists(atPath: dataset.out))

      let first = try dataset.bids("participant", "--participant_label", "01", "--mem", "8G")
      #expect(first.status == 0, "\(first.errors)")
      let image = "sub-01/anat/sub-01_space-orig_atlas-tiny_seg-segpipe_dseg"
      let common = [".bidsignore", "dataset_description.json"]
      let mine = [
        "sub-01/anat/sub-01_desc-volumes_morph.tsv", image + ".json", image + ".nii.gz",
        image + ".tsv", "sub-01_T1w.html",
      ]
      #expect(try dataset.names() == common + mine)
      let sidecar = try dataset.json(image + ".json")
      #expect(sidecar["SpatialReference"] as? String == "orig")
      #expect(sidecar["Sources"] as? [String] == ["bids:raw:sub-01/anat/sub-01_T1w.nii.gz"])
      for level in ["participant", "group"] {
        let none = try Program.run(
          "bids", dataset.raw, dataset.out, level, "--atlas", TinyAtlas.folder, "--suffix", "T7w")
        #expect(none.status == 18, "\(none.errors)")
      }
      let early = try dataset.bids("group")
      #expect(early.status == 75, "\(early.errors)")
      #expect(early.errors.contains("segment/sub-02_ses-a_T2w: not done"))

      let rest = try dataset.bids("participant")
      #expect(rest.status == 65, "\(rest.errors)")
      #expect(rest.errors.contains("segment: 1 done, 1 reused, 1 failed"))
      #expect(try dataset.bids("group").status == 65)
      let other = "sub-02/ses-a/anat/sub-02_ses-a"
      let theirs = [
        "\(other)_desc-T2wvolumes_morph.tsv",
        "\(other)_space-orig_atlas-tiny_seg-segpipe_desc-T2w_dseg.json",
        "\(other)_space-orig_atlas-tiny_seg-segpipe_desc-T2w_dseg.nii.gz",
        "\(other)_space-orig_atlas-tiny_seg-segpipe_desc-T2w_dseg.tsv", "sub-02_ses-a_T2w.html",
      ]
      let group = ["group.html", "group_summary.tsv", "group_volumes.tsv"]
      #expect(try dataset.names() == (common + mine + theirs + group).sorted())
      let page = try String(contentsOfFile: dataset.out + "/group.html", encoding: .utf8)
      #expect(page.contains("<a href=\"sub-01_T1w.html\">sub-01_T1w</a>"))
      #expect(page.contains("sub-03_T1w.nii: not an image that can be read"))
      let again = try dataset.bids("participant", "--participant-label", "01", "02")
      #expect(again.errors == "segment: 2 reused\n")
    }
  }

  /// Without options of its own group gathers what participants made with theirs, of whatever kinds of images.
  @Test func groupGoesByWhatParticipantsWereRunWith() throws {
    try Scratch.use { folder in
      let dataset = try Dataset(folder)
      func bids(_ level: String, _ more: String...) throws -> Program.Result {
        try Program.run(["bids", dataset.raw, dataset.out, level] + more)
      }
      func rows() throws -> [String] {
        try String(contentsOfFile: dataset.out + "/group_summary.tsv", encoding: .utf8)
          .split(separator: "\n").dropFirst()
          .map { $0.split(separator: "\t").prefix(2).joined(separator: " ") }
      }
      for (label, suffix) in [("01", "T1w"), ("02", "T2w")] {
        let result = try bids(
          "participant", "--participant-label", label, "--suffix", suffix, "--atlas",
          TinyAtlas.folder, "--posteriors", "--stripped", "no")
        #expect(result.status == 0, "\(result.errors)")
      }
      let all = ["sub-01_T1w done", "sub-02_ses-a_T2w done"]
      let group = try bids("group")
      #expect(group.status == 0, "\(group.errors)")
      #expect(
        group.errors.contains("scans that participant was not asked for, left out: 1\n"),
        "\(group.errors)")
      #expect(try rows() == all)

      // By other options nothing is done, which is told, and is not what participants go by.
      let other = try bids("group", "--stripped", "yes")
      #expect(other.status == 75)
      #expect(
        other.errors.contains(
          "segment/sub-01_T1w: not done as asked for: stripped was false, and is true\n"),
        "\(other.errors)")
      #expect(other.errors.contains("hint: Give group the options that participant had, or none."))
      #expect(try rows() == ["sub-01_T1w missing", "sub-02_ses-a_T2w missing"])
      #expect(try bids("group", "--suffix", "T2w").status == 0)
      #expect(try rows() == [all[1]])
      let again = try bids("group")
      #expect(again.status == 0, "\(again.errors)")
      #expect(try rows() == all)

      let plan = dataset.out + "/.segpipe/plan.json"
      let text = try String(contentsOfFile: plan, encoding: .utf8)
      try text.replacing(TinyAtlas.folder, with: "/nowhere/tiny").write(
        toFile: plan, atomically: true, encoding: .utf8)
      let gone = try bids("group")
      #expect(gone.status == 66, "\(gone.errors)")
      #expect(gone.errors.contains("/nowhere/tiny: no such folder, expected the atlas that"))
      #expect(try bids("group", "--atlas", TinyAtlas.folder).status == 0)
    }
  }

  @Test func theDescriptionIsSharedWithOthers() throws {
    try Scratch.use { folder in
      let dataset = try Dataset(folder)
      try FileManager.default.createDirectory(
        atPath: dataset.out, withIntermediateDirectories: true)
      try Data(
        #"""
        {"Name": "Mine", "BIDSVersion": "1.9.0", "DatasetType": "derivative", "License": "CC0",
         "GeneratedBy": [{"Name": "other", "Version": "2"}], "DatasetLinks": {"a": "b"}}
        """#.utf8
      ).write(to: URL(fileURLWithPath: dataset.out + "/dataset_description.json"))
      try Array("mine\n".utf8).write(to: dataset.out + "/.bidsignore")
      for _ in 0..<2 {
        let result = try dataset.bids("participant", "--participant-label", "01")
        #expect(result.status == 0, "\(result.errors)")
      }
      let content = try dataset.json("dataset_description.json")
      #expect(content["Name"] as? String == "Mine" && content["License"] as? String == "CC0")
      let makers = (content["GeneratedBy"] as? [[String: String]] ?? []).map { $0["Name"] }
      #expect(makers == ["other", "segpipe"])
      #expect(content["DatasetLinks"] as? [String: String] == ["a": "b", "raw": "../.."])
      let ignored = try String(contentsOfFile: dataset.out + "/.bidsignore", encoding: .utf8)
      #expect(ignored == "mine\n*.html\n*_morph.tsv\ngroup_*.tsv\n")
    }
  }

  @Test func refusals() throws {
    try Scratch.use { folder in
      let dataset = try Dataset(folder)
      func check(_ status: Int32, _ words: String, _ arguments: [String]) throws {
        let result = try Program.run(["bids"] + arguments + ["--atlas", TinyAtlas.folder])
        #expect(result.status == status, "\(arguments): \(result.errors)")
        #expect(result.errors.contains(words), "\(result.errors)")
      }
      let (raw, out) = (dataset.raw, dataset.out)
      try check(66, "none: no such folder", [folder + "/none", out, "participant"])
      try check(17, "the analysis level is 'session'", [raw, out, "session"])
      try check(
        18, "no scan is left after --suffix T1w, --participant-label 09\n  hint: There are sub-01",
        [raw, out, "participant", "--participant-label", "sub-09"])
      try check(18, "--suffix FLAIR", [raw, out, "participant", "--suffix", "FLAIR"])
      try check(73, "raw: a raw dataset", [raw, raw, "participant"])
      try Data("{}".utf8).write(to: URL(fileURLWithPath: raw + "/dataset_description.json"))
      try check(16, "dataset_description.json: no Name", [raw, out, "participant"])
      let lenient = try dataset.bids(
        "participant", "--skip-bids-validation", "--participant-label", "01")
      #expect(lenient.status == 0, "\(lenient.errors)")
      let stopped = try dataset.bids(
        "participant", "--skip-bids-validation", "--stop-on-first-crash",
        "--participant-label", "03")
      #expect(stopped.status == 65)
    }
  }

  /// A folder that cannot be read is no folder without scans.
  @Test func unreadableFoldersAreTold() throws {
    try Scratch.use { folder in
      let dataset = try Dataset(folder)
      try Data().write(to: URL(fileURLWithPath: dataset.raw + "/sub-05"))
      mkfifo(dataset.raw + "/sub-01/anat/sub-01_run-2_T1w.nii", 0o600)
      let planned = try dataset.bids("participant", "--dry-run")
      #expect(planned.status == 0 && !planned.output.contains("run-2"), "\(planned.errors)")
      let anat = dataset.raw + "/sub-04/anat"
      try FileManager.default.createDirectory(
        atPath: dataset.raw + "/sub-04", withIntermediateDirectories: true)
      try FileManager.default.createSymbolicLink(atPath: anat, withDestinationPath: "anat")
      let result = try dataset.bids("participant", "--dry-run")
      #expect(result.status == 66, "\(result.errors)")
      #expect(result.errors.contains("\(anat): cannot be opened: "), "\(result.errors)")
    }
  }

  /// Options of other BIDS Apps either do something or say why they cannot.
  @Test(arguments: [
    (["participant", "--work-dir", "/scratch"], "lies in output_dir/.segpipe. Leave it out."),
    (["participant", "-w", "/scratch"], "--work-dir is not an option of segpipe"),
    (["participant", "--random-seed", "1"], "nothing is drawn at random"),
    (["participant", "--reports_only"], "--reports-only is not an option of segpipe"),
    (["participant", "--config-file", "a.toml"], "give its settings as options"),
    (["participant", "--write-graph"], "--dry-run lists the stages"),
    (["participant", "--omp-nthreads", "0"], "--omp-nthreads is 0; it must be at least 1."),
    (["participant", "--mem", "much"], "The value 'much' is invalid for '--mem <amount>'"),
    (["participant", "--nprocs", "2", "--threads", "2"], "give one of them"),
    (["group", "--participant-label", "01"], "group gathers all scans"),
  ])
  func optionsThatCannotDoWhatTheySayAreRefused(_ arguments: [String], _ words: String) throws {
    let result = try Program.run(["bids", "/nowhere/raw", "/nowhere/out"] + arguments)
    #expect(result.status == 64, "\(result.errors)")
    #expect(result.errors.contains(words), "\(result.errors)")
  }

  @Test func amountsOfMemory() {
    func bytes(_ text: String) -> Int? { MemoryAmount(argument: text)?.bytes }
    #expect(bytes("8000") == 8000 << 20 && bytes("8000M") == 8000 << 20)
    #expect(bytes("8G") == 8 << 30 && bytes("8gb") == 8 << 30 && bytes("1T") == 1 << 40)
    for wrong in ["", "G", "0", "-1", "8B", "8 G", "8X", "99999999999999999999", "9999999T"] {
      #expect(bytes(wrong) == nil, "\(wrong)")
    }
  }

  @Test func filterFiles() throws {
    try Scratch.use { folder in
      let dataset = try Dataset(folder)
      let path = folder + "/filter.json"
      func plan(_ json: String) throws -> Program.Result {
        try Data(json.utf8).write(to: URL(fileURLWithPath: path))
        return try dataset.bids("participant", "--dry-run", "--bids-filter-file", path)
      }
      func stems(_ json: String) throws -> [String] {
        try plan(json).output.split(separator: "\n").map {
          String($0.split(separator: "\t")[1].dropFirst("segment/".count))
        }
      }
      #expect(try stems(#"{"t1w": {}}"#) == ["sub-01_T1w", "sub-03_T1w"])
      #expect(try stems(#"{"t1w": {"subject": 3}}"#) == ["sub-03_T1w"])
      #expect(try stems(#"{"a": {"suffix": "T2w", "session": "*"}}"#) == ["sub-02_ses-a_T2w"])
      #expect(
        try stems(#"{"t1w": {"session": null, "subject": ["01"]}, "t2w": {"session": "a"}}"#)
          == ["sub-01_T1w", "sub-02_ses-a_T2w"])
      #expect(try plan(#"{"t2w": {"session": null}}"#).status == 18)
      #expect(
        try stems(#"{"a": {"suffix": ["T1w", "T2w"], "extension": [".nii.gz", "nii.gz"]}}"#)
          == ["sub-01_T1w", "sub-02_ses-a_T2w"])
      #expect(try stems(#"{"t1w": {"datatype": "anat", "extension": "nii"}}"#) == ["sub-03_T1w"])
      let others = try plan(#"{"bold": {"datatype": "func", "task": "rest"}, "t2w": {}}"#)
      #expect(others.output.contains("sub-02_ses-a_T2w") && !others.output.contains("T1w"))
      #expect(others.errors.contains("filter.json: not for anatomical images: bold"))
      let missing = try dataset.bids("participant", "--bids-filter-file", folder + "/none.json")
      #expect(missing.status == 66 && missing.errors.contains("none.json: no such file"))
      for (json, words) in [
        ("[]", "not a JSON object"), (#"{"x": {}}"#, "'x' has no suffix"), ("{}", "no query"),
        (#"{"t1w": {"sesion": 1}}"#, "'sesion', which is no entity"),
        (#"{"t1w": {"run": true}}"#, "gives 'run' true, which is neither text nor whole number"),
        (#"{"t1w": {"run": [1, 1.5]}}"#, "gives 'run' 1.5"),
        (#"{"t1w": {"suffix": null}}"#, "gives 'suffix' no text"),
        (#"{"t1w": {"datatype": "func"}}"#, "asks for the datatype func, which is not anat"),
        (#"{"t1w": {"run": {"a": 1}}}"#, "'t1w' is no object of texts"), (#"{"t1w": 1}"#, "'t1w'"),
        (#"{"bold": {}}"#, "no query of anatomical images"),
      ] {
        let result = try plan(json)
        #expect(result.status == 64 && result.errors.contains(words), "\(result.errors)")
      }
    }
  }

  private static let bosh = Program.find("bosh")

  /// What Boutiques needs to call the program, by the names of the BIDS execution specification.
  @Test func theCommandLineDescribesItself() throws {
    let result = try Program.run("bids", "--bids-exec-spec")
    #expect(result.status == 0 && result.errors.isEmpty, "\(result.errors)")
    let object = try JSONSerialization.jsonObject(with: Data(result.output.utf8))
    let descriptor = try #require(object as? [String: Any])
    let template = try #require(descriptor["command-line"] as? String)
    let inputs = try #require(descriptor["inputs"] as? [[String: Any]])
    let names = inputs.compactMap { $0["id"] as? String }
    #expect(
      names.prefix(4) == ["InputDataset", "OutputLocation", "AnalysisLevel", "ParticipantLabel"])
    #expect(Set(names).count == inputs.count && Set(["ToolVersion", "Help"]).isSubset(of: names))
    #expect(!names.contains("RandomSeed") && !names.contains("WorkDir"))
    for input in inputs {
      let key = try #require(input["value-key"] as? String)
      #expect(template.components(separatedBy: key).count == 2, "\(key)")
    }
    #expect(inputs[2]["value-choices"] as? [String] == ["participant", "group"])
    let more = try Program.run("bids", "in", "out", "group", "--bids-exec-spec")
    #expect(more.status == 64 && more.errors.contains("stands alone"), "\(more.errors)")
  }

  @Test(.enabled(if: bosh != nil, "bosh of Boutiques is not installed"))
  func boutiquesAcceptsTheDescription() throws {
    try Scratch.use { folder in
      let (descriptor, call) = (folder + "/descriptor.json", folder + "/call.json")
      let description = try Program.run("bids", "--bids-exec-spec")
      try Array(description.output.utf8).write(to: descriptor)
      let text = """
        {"InputDataset": "in", "OutputLocation": "out", "AnalysisLevel": "participant",
         "ParticipantLabel": ["01", "02"], "OmpNthreads": 1, "Posteriors": true}
        """
      try Array(text.utf8).write(to: call)
      let environment = ["HOME": folder]
      let valid = try Program.run(Self.bosh ?? "", ["validate", descriptor], environment)
      #expect(valid.status == 0, "\(valid.output)\(valid.errors)")
      let simulated = try Program.run(
        Self.bosh ?? "", ["exec", "simulate", descriptor, "-i", call], environment)
      #expect(
        simulated.output.contains(
          "segpipe bids in out participant --participant-label 01 02 --posteriors --omp-nthreads 1"),
        "\(simulated.output)\(simulated.errors)")
    }
  }

  private static let validator = Program.find("bids-validator-deno")

  @Test(.enabled(if: validator != nil, "bids-validator-deno is not installed"))
  func theValidatorFindsNoError() throws {
    try Scratch.use { folder in
      let dataset = try Dataset(folder)
      #expect(try dataset.bids("participant", "--posteriors").status == 65)
      #expect(try dataset.bids("group", "--posteriors").status == 65)
      let result = try Program.run(
        Self.validator ?? "", ["--json", dataset.out], ["HOME": folder])
      let report = try #require(
        try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any],
        "\(result.errors)")
      let found = (report["issues"] as? [String: Any])?["issues"] as? [[String: Any]] ?? []
      #expect(!found.isEmpty, "warnings at least: has it looked?")
      let errors = found.filter { $0["severity"] as? String == "error" }
      #expect(errors.isEmpty, "\(errors)")
    }
  }
}
