import Foundation
import Imaging
import Testing

/// The network that labels voxels by what lies around them: training, use and refusals, on a small grid.
@Suite struct ContextCommandTests {
  private func train(_ folder: String, _ more: String...) -> [String] {
    [
      "train-context", "--workspace", TinyPrior.workspace, "-o", folder, "--steps", "12", "--tiles",
      "3", "--report-every", "6", "--checkpoint-every", "2", "--threads", "2",
    ] + more
  }

  @Test func aTrainingThatIsKilledEndsWithTheSameWeights() throws {
    try Scratch.use { scratch in
      let told = try Resumption.check(of: "context.safetensors", in: scratch) { train($0) }
      #expect(told.contains("step 12: Dice of drawn scans"))
      let held = try Program.run(train(scratch + "/held", "--hold-out", "nobody"))
      #expect(held.status == 64, "\(held.errors)")
      #expect(held.errors.contains("nobody"))
    }
  }

  @Test func whatHasLearnedNothingChangesNextToNothing() throws {
    try Scratch.use { scratch in
      let trained = try Program.run(
        train(scratch + "/context", "--learning-rate", "1e-9", "--steps", "1"))
      #expect(trained.status == 0, "\(trained.errors)")
      let scan = scratch + "/scan.nii.gz"
      try TinyPrior.writeScan(1, to: scan)
      func labels(_ name: String, _ options: String...) throws -> [Int32] {
        let path = scratch + "/\(name).nii.gz"
        let result = try Program.run(
          ["segment", scan, "-o", path, "--workspace", TinyPrior.workspace] + options)
        #expect(result.status == 0, "\(result.errors)")
        return try ImageReader.readLabels(path).volume.voxels
      }
      let plain = try labels("plain", "--no-context")
      let used = try labels("used", "--context", scratch + "/context/context.safetensors")
      let found = plain.count { $0 != 0 }
      let changed = zip(plain, used).count { $0 != $1 }
      // The prior is interpolated once more, on a grid of its own.
      #expect(found > 1000 && changed * 100 < found, "\(changed) of \(found)")
    }
  }

  @Test func whatWasTrainedIsUsedUnlessSwitchedOff() throws {
    try Scratch.use { scratch in
      let trained = try Program.run(
        train(scratch + "/context", "--learning-rate", "0.01", "--steps", "40"))
      #expect(trained.status == 0, "\(trained.errors)")
      let (scan, context) = (scratch + "/scan.nii.gz", scratch + "/context/context.safetensors")
      try TinyPrior.writeScan(1, to: scan)
      func segment(_ name: String, _ options: String...) throws -> [UInt8] {
        let path = scratch + "/\(name).nii.gz"
        let result = try Program.run(
          [
            "segment", scan, "-o", path, "--workspace", TinyPrior.workspace, "--posteriors",
            scratch + "/\(name)_p.nii.gz",
          ] + options)
        #expect(result.status == 0, "\(result.errors)")
        return try fileBytes(scratch + "/\(name).json")
      }
      let plain = try segment("plain")
      let used = try segment("used", "--context", context)
      let text = String(decoding: used, as: UTF8.self)
      #expect(!String(decoding: plain, as: UTF8.self).contains("TrainedContext"))
      #expect(text.contains("TrainedContext") && text.contains("TrainedPrior"))
      let alone = String(
        decoding: try segment("alone", "--context", context, "--no-latent"), as: UTF8.self)
      #expect(alone.contains("TrainedContext") && !alone.contains("TrainedPrior"))
      // Whatever the number of threads.
      _ = try segment("one", "--context", context, "--threads", "1")
      #expect(try fileBytes(scratch + "/used.nii.gz") == fileBytes(scratch + "/one.nii.gz"))
      #expect(try fileBytes(scratch + "/used_p.nii.gz") == fileBytes(scratch + "/one_p.nii.gz"))
      #expect(try fileBytes(scratch + "/used_p.nii.gz") != fileBytes(scratch + "/plain_p.nii.gz"))
      // It needs no trained prior; what does is refused without one.
      let copied = scratch + "/copied"
      try FileManager.default.createDirectory(atPath: copied, withIntermediateDirectories: true)
      try FileManager.default.copyItem(
        atPath: TinyPrior.workspace + "/atlas", toPath: copied + "/atlas")
      func withoutPrior(_ name: String, _ options: String...) throws -> Program.Result {
        try Program.run(
          ["segment", scan, "-o", scratch + "/\(name).nii.gz", "--workspace", copied] + options)
      }
      let bare = try withoutPrior("bare", "--context", context)
      #expect(bare.status == 0, "\(bare.errors)")
      #expect(bare.errors.contains("no trained prior, trained context"))
      #expect(
        try fileBytes(scratch + "/bare.nii.gz") == fileBytes(scratch + "/alone.nii.gz"))
      for options in [["--encoder", context], ["--samples", "2"]] {
        let refused = try withoutPrior("x", options[0], options[1])
        #expect(refused.status == 66, "\(refused.errors)")
        #expect(refused.errors.contains("no trained prior was found"))
      }
      // It is found where train-context leaves it.
      try FileManager.default.copyItem(atPath: scratch + "/context", toPath: copied + "/context")
      #expect(try withoutPrior("found").status == 0)
      #expect(try fileBytes(scratch + "/found.json") == fileBytes(scratch + "/bare.json"))
      for options in [["--no-prior"], ["--no-context"]] {
        let refused = try Program.run(
          ["segment", scan, "-o", scratch + "/x.nii.gz", "--context", context] + options)
        #expect(refused.status == 64, "\(refused.errors)")
      }
      // It belongs to the atlas that it was trained with.
      let other = try Program.run([
        "segment", scan, "-o", scratch + "/x.nii.gz", "--context", context,
      ])
      #expect(other.status == 65 && other.errors.contains("context.safetensors"))
      let wrong = try Program.run([
        "segment", scan, "-o", scratch + "/x.nii.gz", "--workspace", TinyPrior.workspace,
        "--context", TinyPrior.prior,
      ])
      #expect(
        wrong.status == 65
          && wrong.errors.contains("holds a trained prior, expected a trained context"))
      #expect(!FileManager.default.fileExists(atPath: scratch + "/x.nii.gz"))
    }
  }
}
