import Foundation
import Imaging
import Testing
import segpipe

/// `segpipe run`, `status` and `collect` on small studies.
@Suite struct RunCommandTests {
  @Test func aStudyFromOneDefinition() throws {
    try Scratch.use { folder in
      let study = try TinyStudy(folder, scans: 3)
      try Array("no image".utf8).write(to: study.path(of: 1))
      let planned = try study.run("w", "--dry-run")
      #expect(planned.status == 0, "\(planned.errors)")
      #expect(planned.output.contains("run\tsegment/a\tnot done yet\n"))
      #expect(!FileManager.default.fileExists(atPath: folder + "/w"))

      let first = try study.run("w")
      #expect(first.status == 65, "\(first.errors)")
      #expect(first.errors.contains("segment: 2 done, 1 failed\nsegment summary: 1 done\n"))
      #expect(
        first.errors.contains("segpipe: 1 of 4 stages failed:\n  segment/b: \(folder)/scans/b"))
      let names = try study.results("w").keys.sorted()
      #expect(
        names == [
          "segment/a_seg.json", "segment/a_seg.nii.gz", "segment/c_seg.json",
          "segment/c_seg.nii.gz", "segment/pictures/a_qc.png", "segment/pictures/c_qc.png",
          "segment/reports/a.html", "segment/reports/c.html", "segment/summary.html",
          "segment/summary.tsv", "segment/volumes.tsv", "segment/volumes/a.tsv",
          "segment/volumes/c.tsv",
        ])
      let page = study.text("w/segment/summary.html")
      #expect(page.contains("3 scans: 2 PASS, 1 failed"), "\(page.suffix(3000))")
      #expect(page.contains("<a href=\"reports/a.html\">a</a>"))
      #expect(page.contains("<summary>b: exit code 65</summary>"))
      #expect(page.contains("aria-label=\"median ") && !page.contains(folder))
      let rows = study.text("w/segment/summary.tsv").split(separator: "\n")
      #expect(rows.count == 4)
      #expect(rows[0].hasPrefix("subject\tstatus\tquality\t"))
      #expect(rows[1].hasPrefix("a\tdone\t") && rows[1].hasSuffix("\t0\tn/a"))
      #expect(rows[2].hasPrefix("b\tfailed\tn/a\t") && rows[2].contains("\t65\tb.nii.gz: "))
      let volumes = study.text("w/segment/volumes.tsv")
      #expect(
        volumes == study.text("w/segment/volumes/a.tsv")
          + study.text("w/segment/volumes/c.tsv").split(separator: "\n").dropFirst().map {
            $0 + "\n"
          }
          .joined())

      let status = try Program.run("status", "--workspace", folder + "/w")
      #expect(status.status == 0)
      #expect(status.output.contains("\nsegment\t2 done, 1 failed\t-\t"))
      #expect(status.output.contains("\nsegment/b\tfailed\tb.nii.gz: "))

      // Mended, only what was missing is done; the label map is what the single command gives.
      try study.write(1)
      let second = try study.run("w")
      #expect(second.status == 0, "\(second.errors)")
      #expect(second.errors.contains("segment: 1 done, 2 reused\nsegment summary: 1 done\n"))
      let single = try Program.run(
        "segment", study.path(of: 1), "-o", folder + "/b.nii.gz", "--atlas", TinyAtlas.folder)
      #expect(single.status == 0, "\(single.errors)")
      #expect(
        try fileBytes(folder + "/b.nii.gz") == fileBytes(folder + "/w/segment/b_seg.nii.gz"))
      let third = try study.run("w", "--threads", "1", "--verify")
      #expect(third.errors == "segment: 3 reused\nsegment summary: 1 reused\n")
    }
  }

  @Test func reuseAndItsReasons() throws {
    try Scratch.use { folder in
      let study = try TinyStudy(folder, scans: 2)
      #expect(try study.run("w").status == 0)
      let before = try study.results("w")
      let manager = FileManager.default
      try manager.moveItem(atPath: folder + "/w", toPath: folder + "/moved")
      try manager.setAttributes(
        [.modificationDate: Date(timeIntervalSince1970: 0)], ofItemAtPath: study.path(of: 0))
      #expect(
        try study.run("moved").errors == "segment: 2 reused\nsegment summary: 1 reused\n")

      try manager.removeItem(atPath: folder + "/moved/segment/pictures/a_qc.png")
      let again = try study.run("moved")
      #expect(again.errors.contains("segment/a: output segment/pictures/a_qc.png is missing\n"))
      #expect(again.errors.contains("segment: 1 done, 1 reused\n"))
      #expect(try study.results("moved") == before)

      // Without any records its own results are replaced, as nobody else made them.
      try manager.removeItem(atPath: folder + "/moved/.segpipe")
      #expect(try study.run("moved").errors.contains("segment: 2 done\n"))
      #expect(try study.results("moved") == before)

      let changed = try study.run("moved", "--set", "pictures=no", "--dry-run")
      #expect(changed.output.contains("run\tsegment/b\tpictures was true, and is false\n"))
      #expect(changed.output.contains("run\tsegment summary\tsegment/a is done first\n"))
      try Data("{".utf8).write(
        to: URL(fileURLWithPath: folder + "/moved/.segpipe/records/segment/b.json"))
      let damaged = try study.run("moved")
      #expect(damaged.errors.contains("warning: segment/b: its record is damaged"))
      #expect(try study.results("moved") == before)
    }
  }

  /// Names that links must spell otherwise, and what is named like a scan and is none.
  @Test func oddNamesInAFolderOfScans() throws {
    try Scratch.use { folder in
      let study = try TinyStudy(folder, scans: 1)
      try FileManager.default.moveItem(
        atPath: study.path(of: 0), toPath: "\(folder)/scans/a #1 50%?.nii.gz")
      mkfifo("\(folder)/scans/b.nii.gz", 0o600)
      let result = try study.run("w")
      #expect(result.status == 0 && result.errors.contains("segment: 1 done"), "\(result.errors)")
      #expect(
        study.text("w/segment/summary.html").contains(
          "<a href=\"reports/a%20%231%2050%25%3F.html\">a #1 50%?</a>"))
      // Tabs and line feeds of names are none of the tables'.
      try FileManager.default.moveItem(
        atPath: "\(folder)/scans/a #1 50%?.nii.gz", toPath: "\(folder)/scans/a\tb\nc.nii.gz")
      let planned = try study.run("w", "--dry-run")
      #expect(planned.output.hasPrefix("run\tsegment/a b c\tnot done yet\n"), "\(planned)")
      #expect(try study.run("w").status == 0)
      let status = try Program.run("status", "--workspace", folder + "/w", "-v")
      #expect(status.output.contains("\nsegment/a b c\tdone\t-\t"), "\(status)")
      #expect(
        status.output.split(separator: "\n").allSatisfy { $0.split(separator: "\t").count == 5 })
    }
  }

  /// As git-annex and datalad leave scans whose content is elsewhere.
  @Test func scansThatAreNotFetchedAreToldAsSuch() throws {
    try Scratch.use { folder in
      let study = try TinyStudy(folder, scans: 0)
      let target = "../.git/annex/objects/1/2/SHA256E-s9--0a.nii.gz"
      try FileManager.default.createSymbolicLink(
        atPath: study.path(of: 0), withDestinationPath: target)
      let words = ": a symbolic link to \(target), which does not exist"
      let hint = "Fetch the content first: git annex get, or datalad get."
      let run = try study.run("w")
      let segment = try Program.run("segment", study.path(of: 0), "-o", folder + "/s.nii")
      for result in [run, segment] {
        #expect(result.status == 66, "\(result.errors)")
        #expect(result.errors.contains(words), "\(result.errors)")
        #expect(result.errors.contains("hint: " + hint), "\(result.errors)")
      }
      #expect(study.text("w/segment/summary.tsv").contains("\t66\ta.nii.gz" + words))
      #expect(study.text("w/segment/summary.html").contains(hint))
    }
  }

  @Test func shardsAndCollectGiveWhatASingleRunGives() throws {
    try Scratch.use { folder in
      let study = try TinyStudy(folder, scans: 4)
      try Array("no image".utf8).write(to: study.path(of: 2))
      #expect(try study.run("whole").status == 65)
      #expect(try study.run("parts", "--shard", "1/2").status == 65)
      let early = try Program.run("collect", "--workspace", folder + "/parts")
      #expect(early.status == 75, "\(early.errors)")
      #expect(study.text("parts/segment/summary.tsv").contains("\nb\tmissing\t"))
      let second = try Program.run(
        ["run", TinyStudy.definition, "--workspace", folder + "/parts", "--shard", "auto"]
          + study.settings,
        environment: [
          "SLURM_ARRAY_TASK_ID": "1", "SLURM_ARRAY_TASK_COUNT": "2",
          "SLURM_ARRAY_TASK_MIN": "0", "SLURM_ARRAY_TASK_MAX": "1",
        ])
      #expect(second.status == 0, "\(second.errors)")
      let collected = try Program.run("collect", "--workspace", folder + "/parts")
      #expect(collected.status == 65)
      #expect(collected.errors.contains("segment/c: c.nii.gz: "))
      #expect(try study.results("parts") == study.results("whole"))
    }
  }

  @Test func fromLabelMapsToSegmentations() throws {
    try Scratch.use { folder in
      let study = try TinyStudy(folder, scans: 1)
      try FileManager.default.createDirectory(
        atPath: folder + "/maps", withIntermediateDirectories: true)
      for subject in 0..<3 {
        try ImageWriter.write(
          labels: TinyAtlas.labels(on: TinyAtlas.grid, growth: 0.96 + 0.04 * Double(subject)),
          like: nil, to: "\(folder)/maps/s\(subject).nii", description: "test")
      }
      try """
      stages:
        segment:
          kind: segment
          scans: scans
          atlas: ${atlas.atlas}
        atlas:
          kind: build-atlas
          maps: maps
          refinements: 0
      """.write(toFile: folder + "/organ.yaml", atomically: true, encoding: .utf8)
      // What is referred to must come before.
      let order = try Program.run("run", folder + "/organ.yaml", "--workspace", folder + "/w")
      #expect(order.status == 64)
      #expect(order.errors.contains("organ.yaml, line 5: ${atlas.atlas} is neither a parameter"))
      let text = try String(contentsOfFile: folder + "/organ.yaml", encoding: .utf8)
      let parts = text.components(separatedBy: "  atlas:\n    kind: build")
      try
        ("stages:\n  atlas:\n    kind: build" + parts[1] + "\n"
        + parts[0].replacingOccurrences(of: "stages:\n", with: "")).write(
          toFile: folder + "/organ.yaml", atomically: true, encoding: .utf8)
      func run(_ more: String...) throws -> Program.Result {
        try Program.run(["run", folder + "/organ.yaml", "--workspace", folder + "/w"] + more)
      }
      let blocked = try run("--from", "segment")
      #expect(blocked.status == 66, "\(blocked.errors)")
      #expect(blocked.errors.contains("segment/a: not done, it needs atlas"))
      let first = try run()
      #expect(first.status == 0, "\(first.errors)")
      #expect(study.text("w/segment/a_seg.json").contains("\"Source\" : \"workspace\""))
      #expect(
        try run().errors == "atlas: 1 reused\nsegment: 1 reused\nsegment summary: 1 reused\n")
      // One byte of one map.
      try ImageWriter.write(
        labels: TinyAtlas.labels(on: TinyAtlas.grid, growth: 0.9), like: nil,
        to: folder + "/maps/s0.nii", description: "test")
      let changed = try run("--until", "atlas")
      #expect(changed.errors.contains("atlas: input maps/s0 has changed\n"))
      let rest = try run()
      #expect(rest.errors.contains("atlas: 1 reused\nsegment: 1 done\n"), "\(rest.errors)")
    }
  }

  @Test func scansAtOnceFollowThreadsAndMemory() throws {
    #expect(ScansInFlight.estimate(4, voxels: 7_000_000, available: 64 << 30) == 4)
    #expect(ScansInFlight.estimate(4, voxels: 7_000_000, available: 2 << 30) == 2)
    #expect(ScansInFlight.estimate(4, voxels: 7_000_000, available: 1 << 20) == 1)
    try Scratch.use { folder in
      let study = try TinyStudy(folder, scans: 4)
      try Array("no image".utf8).write(to: study.path(of: 2))
      #expect(try study.run("one", "--threads", "1").status == 65)
      let several = try study.run("several", "--threads", "8", "-v")
      #expect(several.status == 65)
      #expect(several.errors.contains("scans in flight: up to 4"), "\(several.errors)")
      #expect(try study.results("several") == study.results("one"))
    }
  }

  @Test func fromLabelMapsToAnEncoder() throws {
    try Scratch.use { folder in
      try FileManager.default.createDirectory(
        atPath: folder + "/maps", withIntermediateDirectories: true)
      for subject in 0..<3 {
        try ImageWriter.write(
          labels: TinyAtlas.labels(on: TinyAtlas.grid, growth: 0.96 + 0.04 * Double(subject)),
          like: nil, to: "\(folder)/maps/s\(subject).nii", description: "test")
      }
      func run(_ more: String...) throws -> Program.Result {
        try Program.run(
          [
            "run", Places.package.appending(path: "pipelines/learn-head.yaml").path, "--workspace",
            folder + "/w", "--set", "maps=\(folder)/maps", "--set", "name=tiny", "--set", "steps=3",
            "--set", "hold-out=s2", "--set", "encoder-steps=3", "--set", "segmenter-steps=2",
            "--set", "context-steps=3",
          ] + more)
      }
      let first = try run()
      #expect(first.status == 0, "\(first.errors)")
      #expect(first.errors.contains("atlas 'tiny' of 2 label maps"))
      let page = try String(contentsOfFile: folder + "/w/prior-report/report.html", encoding: .utf8)
      #expect(
        page.contains("<h3>s2</h3><p>held out of training; mean Dice of the reconstruction 0."))
      #expect(page.contains("<h3>Sample 2</h3>") && page.contains("Mean Dice of reconstructions"))
      let groups = [
        "atlas", "prior", "prior-report", "encoder", "segmenter", "context", "encoder-report",
      ]
      #expect(try run().errors == groups.map { "\($0): 1 reused\n" }.joined())
      let other = try run("--set", "seed=2", "--dry-run")
      #expect(other.output.contains("reuse\tatlas\tunchanged\n"), "\(other.errors)")
      #expect(other.output.contains("run\tprior\tseed was 1, and is 2\n"), "\(other.output)")
      let sample = try Program.run(
        "sample", "-n", "1", "-o", folder + "/s", "--workspace", folder + "/w")
      #expect(sample.status == 0, "\(sample.errors)")
      let unknown = try run("--set", "hold-out=s9")
      #expect(unknown.status != 0 && unknown.errors.contains("s9"), "\(unknown.errors)")
    }
  }

  @Test func refusalsComeEarly() throws {
    try Scratch.use { folder in
      let study = try TinyStudy(folder, scans: 1)
      let definition = TinyStudy.definition
      func check(_ status: Int32, _ words: String, _ arguments: String...) throws {
        let result = try Program.run(
          ["run"] + arguments + ["--workspace", folder + "/w"]
            + (arguments[0] == definition ? ["--set", "scans=\(folder)/scans"] : []))
        #expect(result.status == status, "\(arguments): \(result.errors)")
        #expect(result.errors.contains(words), "\(result.errors)")
      }
      try check(66, "none.yaml: no such file", folder + "/none.yaml")
      try check(64, "Did you mean 'pictures'?", definition, "--set", "picturs=no")
      try check(
        64, "--set pictures=9: pictures is '9', expected yes or no", definition,
        "--set", "pictures=9")
      try check(64, "there is no stage 'segmen'", definition, "--until", "segmen")
      try check(64, "--shard is '3/2'", definition, "--shard", "3/2")
      try check(64, "no task of a Slurm array", definition, "--shard", "auto")
      try check(
        64, "/scans: 'scans' is there twice\n  hint: Remove one of them.", definition, "--set",
        "scans=x")
      try check(66, "none: no such file", definition, "--set", "atlas=\(folder)/none")
      try "stages:\n  a:\n    kind: segment\n    scams: x\n".write(
        toFile: folder + "/bad.yaml", atomically: true, encoding: .utf8)
      try check(
        64, "bad.yaml, line 4: there is no key 'scams' here\n  hint: Did you mean 'scans'?",
        folder + "/bad.yaml")
      #expect(try Program.run("status", "--workspace", folder).status == 66)
      let missing = try Program.run("run", definition, "--workspace", folder + "/w")
      #expect(missing.errors.contains("the parameter 'scans' has no value: A folder of scans"))
      // A file of somebody else's in a folder that was no workspace.
      try FileManager.default.createDirectory(
        atPath: folder + "/mine/segment", withIntermediateDirectories: true)
      try Array("mine".utf8).write(to: folder + "/mine/segment/volumes.tsv")
      let foreign = try study.run("mine")
      #expect(foreign.status == 73, "\(foreign.errors)")
      #expect(study.text("mine/segment/volumes.tsv") == "mine")
      // And in one that has become a workspace since.
      try FileManager.default.removeItem(atPath: folder + "/mine/segment/volumes.tsv")
      #expect(try study.run("mine").status == 0)
      try study.write(1)
      try Array("mine".utf8).write(to: folder + "/mine/segment/volumes/b.tsv")
      let later = try study.run("mine")
      #expect(later.status == 73 && later.errors.contains("segment/volumes/b.tsv: already exists"))
      #expect(study.text("mine/segment/volumes/b.tsv") == "mine")
      // Scans of one name, and one scan twice.
      for other in ["more", "scans"] {
        try FileManager.default.createDirectory(
          atPath: "\(folder)/\(other)", withIntermediateDirectories: true)
        try? FileManager.default.copyItem(
          atPath: study.path(of: 0), toPath: "\(folder)/\(other)/a.nii.gz")
        try "stages:\n  a: {kind: segment, scans: [scans/a.nii.gz, \(other)]}\n".write(
          toFile: folder + "/bad.yaml", atomically: true, encoding: .utf8)
        try check(
          64,
          other == "scans"
            ? "\(folder)/scans/a.nii.gz is there twice, and would write a/a_seg.nii.gz twice"
            : "more/a.nii.gz and \(folder)/scans/a.nii.gz would both write a/a_seg.nii.gz",
          folder + "/bad.yaml")
      }
    }
  }
}
