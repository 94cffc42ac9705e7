import Foundation
import Imaging
import Testing

/// Encoders of scans, from label maps and from scans without labels, on a small grid.
@Suite struct EncoderCommandTests {
  private static let few = [
    "--steps", "12", "--report-every", "6", "--checkpoint-every", "2", "--threads", "2",
  ]

  private func pretrain(_ folder: String) -> [String] {
    ["pretrain-encoder", "--workspace", TinyPrior.workspace, "-o", folder] + Self.few
  }

  @Test func drawnScansTrainAnEncoderThatSurvivesBeingKilled() throws {
    try Scratch.use { scratch in
      let told = try Resumption.check(of: "encoder.safetensors", in: scratch, pretrain)
      #expect(told.contains("Dice of decoded labels"))
      #expect(told.contains("prior.safetensors (workspace), atlas: tiny (workspace)"))
    }
  }

  @Test func aWorkspaceWithoutAPriorIsRefused() throws {
    try Scratch.use { scratch in
      let work = scratch + "/work"
      try FileManager.default.createDirectory(atPath: work, withIntermediateDirectories: true)
      try FileManager.default.copyItem(
        atPath: TinyPrior.workspace + "/atlas", toPath: work + "/atlas")
      for command in ["pretrain-encoder", "train-segmenter"] {
        let result = try Program.run(
          [command, "--maps", TinyPrior.workspace + "/maps", "--workspace", work] + Self.few)
        #expect(result.status == 66, "\(result.errors)")
        #expect(result.errors.contains("no trained prior was found; tried \(work)/prior"))
        #expect(result.errors.contains("segpipe train-prior"))
      }
      #expect(try FileManager.default.contentsOfDirectory(atPath: work) == ["atlas"])
    }
  }

  @Test func intensitiesMayBeFixed() throws {
    try Scratch.use { scratch in
      try TinyPrior.writeScan(1, to: scratch + "/scan.nii.gz")
      let segmented = try Program.run(
        "segment", scratch + "/scan.nii.gz", "-o", scratch + "/seg.nii.gz", "--workspace",
        TinyPrior.workspace, "-q")
      #expect(segmented.status == 0, "\(segmented.errors)")
      func train(_ folder: String, _ options: String...) throws -> Program.Result {
        try Program.run(
          [
            "train-segmenter", scratch + "/scan.nii.gz", "--workspace", TinyPrior.workspace, "-o",
            scratch + "/" + folder,
          ] + Self.few + options)
      }
      let own = try train("own")
      let fixed = try train("fixed", "--fixed-intensities", scratch + "/seg.json")
      #expect(own.status == 0 && fixed.status == 0, "\(own.errors)\(fixed.errors)")
      #expect(
        try fileBytes(scratch + "/own/log.jsonl") != fileBytes(scratch + "/fixed/log.jsonl"))
      let sidecar = try String(contentsOfFile: scratch + "/seg.json", encoding: .utf8)
      try sidecar.replacing("\"IntensityModel\"", with: "\"Other\"").write(
        toFile: scratch + "/none.json", atomically: true, encoding: .utf8)
      let none = try train("none", "--fixed-intensities", scratch + "/none.json")
      #expect(none.status == 65 && none.errors.contains("none.json: no key IntensityModel"))
      let missing = try train("missing", "--fixed-intensities", scratch + "/missing.json")
      #expect(missing.status == 66 && missing.errors.contains("missing.json"))
      let both = try train(
        "both", "--fixed-intensities", scratch + "/seg.json", "--intensities", "data-set")
      #expect(both.status == 64, "\(both.errors)")
    }
  }

  @Test func startsOfRefinementAreCompared() throws {
    try Scratch.use { scratch in
      try TinyPrior.writeScan(1, to: scratch + "/scan.nii.gz")
      let command = [
        "bench", "encoder", scratch + "/scan.nii.gz", "--steps", "8", "--workspace",
        TinyPrior.workspace, "-q",
      ]
      let result = try Program.run(command + ["--json"])
      #expect(result.status == 0, "\(result.errors)")
      struct Entry: Decodable {
        let stepsFromZero: Int
        let stepsFromEncoder: Int?
        let lossesFromZero: [Double]
        let lossesFromEncoder: [Double]
      }
      let entry = try #require(
        try JSONDecoder().decode([Entry].self, from: Data(result.output.utf8)).first)
      #expect(entry.stepsFromZero == 8)
      for losses in [entry.lossesFromZero, entry.lossesFromEncoder] {
        #expect(losses.count == 9 && losses[8] < losses[0], "\(losses)")
      }
      let reached = entry.lossesFromEncoder.firstIndex { $0 <= entry.lossesFromZero[8] }
      #expect(entry.stepsFromEncoder == reached)
      let words = try Program.run(command)
      #expect(words.output.contains(reached.map { "as good after \($0)" } ?? "not as good"))
      #expect(try Program.run(command + ["--no-prior"]).status == 64)
    }
  }

  @Test(arguments: ["exact", "jensen"])
  func scansTrainAnEncoder(likelihood: String) throws {
    try Scratch.use { scratch in
      try FileManager.default.createDirectory(
        atPath: scratch + "/scans", withIntermediateDirectories: true)
      for subject in 0..<2 {
        try TinyPrior.writeScan(subject, to: scratch + "/scans/s\(subject).nii.gz")
      }
      let prior = try fileBytes(TinyPrior.prior)
      let result = try Program.run(
        [
          "train-segmenter", scratch + "/scans", "--workspace", TinyPrior.workspace, "-o",
          scratch + "/out", "--likelihood", likelihood, "--intensities",
          likelihood == "exact" ? "scan" : "data-set",
        ] + Self.few)
      #expect(result.status == 0, "\(result.errors)")
      #expect(result.errors.contains("Jensen bound"))
      #expect(result.errors.contains("tempered bound"))
      #expect(FileManager.default.fileExists(atPath: scratch + "/out/encoder.safetensors"))
      #expect(try fileBytes(TinyPrior.prior) == prior)
      let log = try String(contentsOfFile: scratch + "/out/log.jsonl", encoding: .utf8)
      struct Line: Decodable {
        let kind: String
        let exact: Double?
        let jensen: Double?
      }
      let lines = try log.split(separator: "\n").map {
        try JSONDecoder().decode(Line.self, from: Data($0.utf8))
      }
      let evaluations = lines.filter { $0.kind == "evaluation" }
      #expect(evaluations.count == 3)
      for line in evaluations {
        #expect(try #require(line.jensen) <= #require(line.exact))
      }
    }
  }

  @Test func scansBesideDrawnOnesChangeWhatIsLearned() throws {
    try Scratch.use { scratch in
      let alone = try Program.run(pretrain(scratch + "/alone"))
      #expect(alone.status == 0, "\(alone.errors)")
      try TinyPrior.writeScan(0, to: scratch + "/scan.nii.gz")
      let arguments = pretrain(scratch + "/beside") + [scratch + "/scan.nii.gz"]
      let beside = try Program.run(arguments)
      #expect(beside.status == 0, "\(beside.errors)")
      #expect(
        try fileBytes(scratch + "/alone/encoder.safetensors")
          != fileBytes(scratch + "/beside/encoder.safetensors"))
    }
  }

  @Test func theOrderOfScansMakesNoDifference() throws {
    try Scratch.use { scratch in
      let scans = ["a", "b"].map { scratch + "/\($0).nii.gz" }
      for (subject, scan) in scans.enumerated() { try TinyPrior.writeScan(subject, to: scan) }
      try (scans[0] + "\n").write(
        toFile: scratch + "/list.txt", atomically: true, encoding: .utf8)
      let orders = [
        [scans[0], scans[1]], [scans[1], scans[0]], [scans[1], "--list", scratch + "/list.txt"],
      ]
      let weights = try orders.enumerated().map { number, order in
        let folder = scratch + "/\(number)"
        let result = try Program.run(pretrain(folder) + order)
        #expect(result.status == 0, "\(result.errors)")
        return try fileBytes(folder + "/encoder.safetensors")
      }
      #expect(weights[0] == weights[1] && weights[0] == weights[2])
    }
  }

  @Test func trainingThatNeedsMoreMemoryThanThereIsIsRefused() throws {
    try Scratch.use { scratch in
      let head = Places.atlases + "/head"
      let line =
        "pretrain-encoder --maps '\(TinyPrior.workspace)/maps' --atlas '\(head)' "
        + "--prior '\(head)/prior.safetensors' -o '\(scratch)/out'"
      let result = try Program.shell("ulimit -v 900000; segpipe \(line)")
      #expect(result.status == 75, "\(result.errors)")
      #expect(result.errors.contains("training takes about"), "\(result.errors)")
    }
  }

  @Test func drawnScansTrainByTheirLikelihood() throws {
    try Scratch.use { scratch in
      let maps = TinyPrior.workspace + "/maps"
      func train(_ folder: String, _ more: String...) throws -> Program.Result {
        try Program.run(
          ["train-segmenter", "--workspace", TinyPrior.workspace, "-o", scratch + "/" + folder]
            + Self.few + more)
      }
      func weights(_ folder: String) throws -> [UInt8] {
        try fileBytes(scratch + "/" + folder + "/encoder.safetensors")
      }
      try TinyPrior.writeScan(0, to: scratch + "/scan.nii.gz")
      let drawn = try train("drawn", "--maps", maps)
      let both = try train("both", scratch + "/scan.nii.gz", "--maps", maps)
      let labels = try Program.run(pretrain(scratch + "/labels"))
      for result in [drawn, both, labels] {
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.errors.contains("Dice of decoded labels"))
      }
      #expect(try weights("drawn") != weights("both"))
      #expect(try weights("drawn") != weights("labels"))
      #expect(try train("none").status == 64)
      #expect(try train("held", scratch + "/scan.nii.gz", "--hold-out", "s0").status == 64)
    }
  }

  @Test func samplesAreAveragedAndEntropyIsWritten() throws {
    try Scratch.use { scratch in
      let scan = scratch + "/scan.nii.gz"
      try TinyPrior.writeScan(0, to: scan)
      func run(_ name: String, _ options: [String]) throws {
        let result = try Program.run(
          [
            "segment", scan, "-o", scratch + "/\(name).nii.gz", "--workspace",
            TinyPrior.workspace, "--prior", TinyPrior.prior,
          ] + options)
        #expect(result.status == 0, "\(result.errors)")
      }
      let entropy = { (name: String) in ["--entropy", scratch + "/\(name)_entropy.nii.gz"] }
      try run("one", entropy("one"))
      try run("three", ["--samples", "3"] + entropy("three"))
      try run("again", ["--samples", "3", "--threads", "1"] + entropy("again"))
      let files = ["one", "three", "again"].map { scratch + "/\($0)_entropy.nii.gz" }
      let maps = try files.map { try ImageReader.readScan($0).volume }
      #expect(try maps[0].grid.extents == ImageReader.readScan(scan).volume.grid.extents)
      #expect(maps[0].voxels.allSatisfy { $0 >= 0 && $0 < 10 })
      #expect(maps[0].voxels.contains { $0 > 0.01 })
      #expect(maps[0].voxels != maps[1].voxels)
      #expect(maps[1].voxels == maps[2].voxels)
      let refused = try Program.run([
        "segment", scan, "-o", scratch + "/x.nii.gz", "--no-prior", "--samples", "2",
      ])
      #expect(refused.status == 64)
    }
  }

  @Test func anEncoderOfAnotherPriorIsRefused() throws {
    try Scratch.use { scratch in
      let made = try Program.run(pretrain(scratch + "/encoder"))
      #expect(made.status == 0, "\(made.errors)")
      let trained = try Program.run(
        [
          "train-prior", "--workspace", TinyPrior.workspace, "-o", scratch + "/prior", "--seed",
          "5",
          "--steps", "2",
        ])
      #expect(trained.status == 0, "\(trained.errors)")
      try TinyPrior.writeScan(0, to: scratch + "/scan.nii.gz")
      let result = try Program.run([
        "segment", scratch + "/scan.nii.gz", "-o", scratch + "/seg.nii.gz", "--workspace",
        TinyPrior.workspace, "--prior", scratch + "/prior/prior.safetensors", "--encoder",
        scratch + "/encoder/encoder.safetensors",
      ])
      #expect(result.status == 65, "\(result.errors)")
      #expect(result.errors.contains("encoder.safetensors"))
      #expect(!FileManager.default.fileExists(atPath: scratch + "/seg.nii.gz"))
    }
  }
}
