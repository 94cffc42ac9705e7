import Foundation
import Imaging
import Testing

@Suite struct BenchCommandTests {
  @Test(arguments: ["prior-step", "decode"]) func printsEveryKey(what: String) throws {
    let result = try Program.run(
      "bench", what, "--grid", "32", "32", "64", "--labels", "4", "--steps", "1", "--threads", "2",
      "--json")
    #expect(result.status == 0)
    let report = try #require(
      try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
    for key in ["secondsPerStep", "peakGiB", "gigaflopsNeeded", "shareOfCeiling"] {
      #expect((report[key] as? Double ?? 0) > 0, "\(key)")
    }
    // 65 536 voxels of four labels, each within a few nats.
    let loss = report["firstLoss"] as? Double
    #expect(what == "decode" ? loss == nil : (10_000..<1_000_000).contains(loss ?? 0))
  }

  @Test func badInputIsNamed() throws {
    let missing = try Program.run("bench", "decode", "--grid", "32", "32", "32", "--from", "/none")
    #expect(missing.status == 66)
    #expect(missing.errors.contains("/none: no such file"))
    for grid in [["32", "32", "33"], ["32", "32", "4194304"]] {
      #expect(try Program.run(["bench", "decode", "--grid"] + grid).status == 64)
    }
    let steps = try Program.run("bench", "decode", "--steps", "\(Int.max)")
    #expect(steps.status == 64 && steps.errors.contains("--steps"))
  }

  @Test func optionsOfDrawnScansNeedMaps() throws {
    for option in [
      ["--contrast", "t1"], ["--dilation", "4"], ["--thinning", "1"], ["--reshape", "1"],
    ] {
      let result = try Program.run(["bench", "accuracy", "scan.nii", "reference.nii"] + option)
      #expect(result.status == 64)
      #expect(result.errors.contains("\(option[0]) needs --from-maps."), "\(result.errors)")
    }
  }

  @Test func whatWouldDoNothingIsRefused() throws {
    for line in [
      ["accuracy", "scan.nii", "reference.nii", "--affine", "a.txt"],
      ["encoder", "scan.nii", "--affine", "a.txt"],
    ] {
      let result = try Program.run(["bench"] + line)
      #expect(result.status == 64)
      #expect(result.errors.contains("--affine is for segment alone."), "\(result.errors)")
    }
    let bare = try Program.run("bench", "encoder", "scan.nii", "--no-latent")
    #expect(bare.status == 64 && bare.errors.contains("leave no latent to refine"))
    let kept = try Program.run(
      "bench", "accuracy", "--robust", "scan.nii", "reference.nii", "--keep", "/proc/kept")
    #expect(kept.status == 73, "\(kept.errors)")
  }

  /// Scans of one name are told apart by their folders; a reference of another grid is named before anything is measured.
  @Test func scansAndReferencesAreNamed() throws {
    try Scratch.use { folder in
      for name in ["a", "b"] {
        try FileManager.default.createDirectory(
          atPath: folder + "/" + name, withIntermediateDirectories: true)
        try ImageWriter.write(
          scan: TinyAtlas.scan(), like: nil, to: folder + "/\(name)/t1.nii", description: "test")
        try ImageWriter.write(
          labels: TinyAtlas.labels(on: TinyAtlas.grid), like: nil,
          to: folder + "/\(name)/labels.nii", description: "test")
      }
      func bench(_ files: String...) throws -> Program.Result {
        try Program.run(
          ["bench", "accuracy", "--atlas", TinyAtlas.folder, "--no-prior", "--prior-only"]
            + ["-o", folder + "/t.tsv", "--overwrite"] + files.map { folder + "/" + $0 })
      }
      let both = try bench("a/t1.nii", "a/labels.nii", "b/t1.nii", "b/labels.nii")
      #expect(both.status == 0, "\(both.errors)")
      let table = try String(contentsOfFile: folder + "/t.tsv", encoding: .utf8)
      #expect(table.contains("\ta\t") && table.contains("\tb\t"), "\(table)")
      let twice = try bench("a/t1.nii", "a/labels.nii", "a/t1.nii", "a/labels.nii")
      #expect(twice.status == 64 && twice.errors.contains("Two scans are called 'a'"))
      let reference = folder + "/other.nii"
      try ImageWriter.write(
        labels: TinyAtlas.labels(on: TinyPrior.grid), like: nil, to: reference,
        description: "test")
      let wrong = try bench("a/t1.nii", "other.nii")
      #expect(wrong.status == 65)
      #expect(
        wrong.errors.contains("\(folder)/a/t1.nii, \(reference): the segmentation does not lie"),
        "\(wrong.errors)")
    }
  }

  @Test func nothingIsKeptOfScansAsTheyAre() throws {
    let result = try Program.run(
      "bench", "accuracy", "scan.nii", "reference.nii", "--keep", "kept")
    #expect(result.status == 64)
    #expect(result.errors.contains("--keep needs --robust or --from-maps."), "\(result.errors)")
  }

  /// White matter, by its number, and something else: what cannot be changed is said.
  @Test func changedScansAreMeasuredAndKept() throws {
    try Scratch.use { folder in
      let (scan, labels, kept) = (
        folder + "/a.nii", folder + "/labels.nii", folder + "/kept"
      )
      let drawn = TinyAtlas.scan()
      try ImageWriter.write(scan: drawn, like: nil, to: scan, description: "test")
      try ImageWriter.write(
        labels: TinyAtlas.labels(on: TinyAtlas.grid), like: nil, to: labels, description: "test")
      let result = try Program.run(
        "bench", "accuracy", "--robust", scan, labels, "--atlas", TinyAtlas.folder, "--keep", kept)
      #expect(result.status == 0, "\(result.errors)")
      for name in ["PD-like", "ventricles x6", "20 ml of lesions"] {
        #expect(result.errors.contains("\(labels): \(name) left out"), "\(result.errors)")
      }
      let lines = result.output.split(separator: "\n").dropFirst()
      #expect(lines.count == 6, "\(result.output)")
      for line in lines {
        let mean = line.split(separator: " ").last.flatMap { Double($0) }
        #expect((mean ?? 0) > 0.8, "\(line)")
      }
      let names = try FileManager.default.contentsOfDirectory(atPath: kept).sorted()
      #expect(
        names
          == ["fine", "inverted", "shaded", "t2", "thick"].flatMap {
            ["a_\($0)_labels.nii.gz", "a_\($0)_scan.nii.gz"]
          })
      let inverted = try ImageReader.readScan(kept + "/a_inverted_scan.nii.gz").volume
      #expect(inverted.grid == drawn.grid)
      let sums = zip(inverted.voxels, drawn.voxels).map(+)
      #expect((sums.max() ?? 0) - (sums.min() ?? 1) < 1e-3)
    }
  }

  /// Wide ventricles, thin cortex, a longer head: registration has to look again and again, and fluid must
  /// not pass for what is gone.
  @Test(
    .enabled(if: Places.hasShared && Places.hasHead, "needs ../shared/data and the head's atlas"))
  func changedAnatomyIsRead() throws {
    let result = try Program.run(
      "bench", "accuracy", "--from-maps", Places.shared + "/labels/training_seg_15.nii.gz",
      "--contrast", "t1", "--atlas", Places.atlases + "/head", "-q")
    #expect(result.status == 0, "\(result.errors)")
    let means = result.output.split(separator: "\n").dropFirst().compactMap {
      $0.split(separator: " ").last.flatMap { Double($0) }
    }
    // Nothing trained, the latent alone, the context alone, both; 0.67 and 0.62 without those two.
    #expect(means.count == 4 && means.allSatisfy { $0 > 0.86 }, "\(result.output)")
  }
}
