import Foundation
import Glibc
import Imaging
import TestSupport
import Testing

/// A training that is stopped, killed, or set going wrongly, on a small grid.
@Suite struct TrainPriorCommandTests {
  /// The arguments of a training like the workspace's own, into another folder.
  private func arguments(_ folder: String) -> [String] {
    ["train-prior", "--workspace", TinyPrior.workspace, "-o", folder] + TinyPrior.training
  }

  private func start(_ folder: String, _ more: [String] = []) throws -> Process {
    let files = ["output", "errors"].map { folder + "-" + $0 }
    for file in files { _ = FileManager.default.createFile(atPath: file, contents: nil) }
    return try Program.start(try Program.path(), arguments(folder) + more, [:], files)
  }

  private func expectTheSame(_ folder: String, _ what: String) throws {
    for name in ["prior.safetensors", "log.jsonl"] {
      let (found, expected) = (
        try fileBytes(folder + "/" + name), try fileBytes(TinyPrior.workspace + "/prior/" + name)
      )
      #expect(found == expected, "\(name) \(what)")
    }
    // What a killed run had under way may lie about, as hidden files of ours.
    for path in try FileManager.default.subpathsOfDirectory(atPath: folder)
    where path.hasSuffix(".tmp") {
      #expect(path.split(separator: "/").last?.hasPrefix(".segpipe-") == true, "\(path)")
    }
  }

  private func steps(_ folder: String) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder + "/checkpoints")) ?? [])
      .filter { $0.hasPrefix("step-") }.sorted()
  }

  /// Waits until a training has written a checkpoint, another one than `last`, or ended.
  private func awaitCheckpoint(
    _ folder: String, _ process: Process, after last: String? = nil
  ) {
    for _ in 0..<30_000 where process.isRunning && steps(folder).last == last { usleep(1000) }
  }

  private func stopAfterACheckpoint(_ folder: String) throws {
    let process = try start(folder)
    awaitCheckpoint(folder, process)
    kill(process.processIdentifier, SIGTERM)
    process.waitUntilExit()
    try #require(!steps(folder).isEmpty)
  }

  /// Twenty times, at random: at the start, between steps, while a checkpoint is written.
  @Test func killedAndResumedGivesTheSameBytes() throws {
    try Scratch.use { scratch in
      let folder = scratch + "/prior"
      var random = SeededRandom()
      var reached: [String] = []
      for kill in 0..<20 {
        let process = try start(folder)
        // Most runs are let come further than the one before.
        if kill % 4 != 0 { awaitCheckpoint(folder, process, after: steps(folder).last) }
        usleep(UInt32.random(in: 0...(kill % 4 == 0 ? 400_000 : 40_000), using: &random))
        Glibc.kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        reached.append(steps(folder).last ?? "nothing")
        let hasEnded = FileManager.default.fileExists(atPath: folder + "/prior.safetensors")
        guard hasEnded else { continue }
        // It had come to its end; the next one begins anew.
        try expectTheSame(folder, "after being killed at \(reached), seed \(random.seed)")
        try FileManager.default.removeItem(atPath: folder)
      }
      let last = try Program.run(arguments(folder))
      #expect(last.status == 0, "\(last.errors)")
      try expectTheSame(folder, "after being killed at \(reached), seed \(random.seed)")
      #expect(Set(reached).count > 5, "\(reached), seed \(random.seed)")
    }
  }

  @Test func askedToStopItStopsSoonAndGoesOnLater() throws {
    try Scratch.use { scratch in
      let folder = scratch + "/prior"
      let process = try start(folder)
      awaitCheckpoint(folder, process)
      // As `timeout` does it: the program and its process group are both told.
      for _ in 0..<2 {
        kill(process.processIdentifier, SIGTERM)
        usleep(500)
      }
      process.waitUntilExit()
      #expect(process.terminationStatus == 143)
      #expect(!FileManager.default.fileExists(atPath: folder + "/prior.safetensors"))
      let words = try String(contentsOfFile: folder + "-errors", encoding: .utf8)
      #expect(words.contains("asked to stop; finishing this step"))
      #expect(words.contains("Repeat the command to go on"))
      let last = try Program.run(arguments(folder))
      #expect(last.status == 0, "\(last.errors)")
      #expect(last.errors.contains("going on after step "))
      try expectTheSame(folder, "after a stop")
    }
  }

  @Test func aDamagedCheckpointCostsSomeStepsOnly() throws {
    try Scratch.use { scratch in
      let folder = scratch + "/prior"
      let process = try start(folder)
      for _ in 0..<3000 where process.isRunning && steps(folder).count < 2 { usleep(10_000) }
      kill(process.processIdentifier, SIGTERM)
      process.waitUntilExit()
      let newest = folder + "/checkpoints/" + (steps(folder).last ?? "")
      var bytes = try fileBytes(newest)
      bytes[bytes.count / 2] ^= 8
      try bytes.write(to: newest)
      let last = try Program.run(arguments(folder))
      #expect(last.status == 0, "\(last.errors)")
      #expect(last.errors.contains("warning: \(newest): "))
      #expect(last.errors.contains("an earlier checkpoint is used"))
      try expectTheSame(folder, "after a damaged checkpoint")

      // With none left there is nothing to go on from, and nothing is begun anew unasked.
      for step in steps(folder) {
        try [UInt8](repeating: 1, count: 100).write(to: folder + "/checkpoints/" + step)
      }
      let none = try Program.run(arguments(folder))
      #expect(none.status == 65)
      #expect(!none.errors.contains("an earlier checkpoint is used"), "\(none.errors)")
    }
  }

  @Test func otherSettingsNeedAnotherFolder() throws {
    try Scratch.use { scratch in
      let folder = scratch + "/prior"
      try stopAfterACheckpoint(folder)
      let kept = steps(folder)
      let other = try Program.run(arguments(folder) + ["--seed", "9"])
      #expect(other.status == 73)
      #expect(
        other.errors.contains(
          "holds a training that was begun with other settings: seed 1, now 9\n"))
      #expect(other.errors.contains("--overwrite"))
      #expect(steps(folder) == kept)
      let anew = try Program.run(arguments(folder) + ["--overwrite"])
      #expect(anew.status == 0, "\(anew.errors)")
      #expect(!anew.errors.contains("going on"))
      try expectTheSame(folder, "begun anew")
    }
  }

  @Test func refusalsComeEarlyAndChangeNothing() throws {
    try Scratch.use { scratch in
      let folder = scratch + "/prior"
      let unknown = try Program.run(arguments(folder) + ["--hold-out", "s1", "nobody"])
      #expect(unknown.status == 64)
      #expect(unknown.errors.contains("no label map is called nobody"))
      let all = try Program.run(arguments(folder) + ["--hold-out", "s0", "s1", "s2", "s3"])
      #expect(all.status == 64, "\(all.errors)")
      #expect(all.errors.contains("--hold-out names all label maps (4)"), "\(all.errors)")
      let nowhere = try Program.run("train-prior", "--workspace", scratch + "/none")
      #expect(nowhere.status == 66)
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      try "mine".write(toFile: folder + "/prior.safetensors", atomically: true, encoding: .utf8)
      let foreign = try Program.run(arguments(folder))
      #expect(foreign.status == 73, "\(foreign.errors)")
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: folder) == ["prior.safetensors"])
    }
  }

  /// With networks of the same sizes, and with others.
  @Test(arguments: ["32 32 32", "48 48 48"])
  func checkpointsOfAnotherAtlasAreRefused(grid: String) throws {
    try Scratch.use { scratch in
      let folder = scratch + "/prior"
      try stopAfterACheckpoint(folder)
      let kept = steps(folder)
      let maps = TinyPrior.workspace + "/maps"
      let built = try Program.run(
        ["build-atlas", maps, "-o", scratch + "/other", "--name", "other", "--grid"]
          + grid.split(separator: " ").map(String.init)
          + ["--spacing", "4.1", "--refinements", "0", "-q"])
      #expect(built.status == 0, "\(built.errors)")
      let result = try Program.run(
        ["train-prior", maps, "--atlas", scratch + "/other", "-o", folder] + TinyPrior.training)
      #expect(result.status == 73, "\(result.errors)")
      #expect(result.errors.contains("begun with other settings: atlas tiny "))
      #expect(result.errors.contains(", now other "))
      #expect(steps(folder) == kept)
    }
  }

  /// Before anything is written, or anything old removed.
  @Test func mapsOfAnotherLabelTableAreRefused() throws {
    try Scratch.use { scratch in
      let folder = scratch + "/prior"
      try stopAfterACheckpoint(folder)
      let kept = steps(folder)
      var foreign = TinyPrior.map(0)
      foreign.voxels[7] = 77
      try ImageWriter.write(
        labels: foreign, like: nil, to: scratch + "/foreign.nii.gz", description: "test")
      let atlas = TinyPrior.workspace + "/atlas"
      let result = try Program.run(
        "train-prior", TinyPrior.workspace + "/maps", scratch + "/foreign.nii.gz", "--atlas",
        atlas, "-o", folder, "--overwrite")
      #expect(result.status == 65)
      #expect(
        result.errors.contains(
          "foreign.nii.gz: values that the label table does not name: 77"), "\(result.errors)")
      #expect(steps(folder) == kept)
    }
  }

  /// A network of 4096 latent dimensions in each cell takes more than half a GiB. No map is read, and
  /// nothing old removed, before that is said.
  @Test func tooLittleMemoryIsSaidAtOnce() throws {
    try Scratch.use { scratch in
      let folder = scratch + "/prior"
      try stopAfterACheckpoint(folder)
      let kept = steps(folder)
      let line = (arguments(folder) + ["--latent-size", "4096", "--overwrite"])
        .map { "'\($0)'" }.joined(separator: " ")
      let result = try Program.shell("ulimit -v 900000; segpipe \(line)")
      #expect(result.status == 75, "\(result.errors)")
      #expect(
        result.errors.wholeMatch(
          of: /segpipe: error: training takes about [0-9.]+ .iB of memory, [0-9.]+ MiB are to be .*/
            .dotMatchesNewlines()) != nil, "\(result.errors)")
      #expect(steps(folder) == kept)
    }
  }

  /// A file size limit stands for a full disk where none can be made.
  @Test func aFullDiskIsAnError() throws {
    try Scratch.use { scratch in
      let line = arguments(scratch + "/prior").map { "'\($0)'" }.joined(separator: " ")
      let limited = try Program.shell("ulimit -f 64; segpipe \(line)")
      #expect(limited.status == 74, "\(limited.errors)")
      #expect(limited.errors.contains("step-"))
      #expect(steps(scratch + "/prior").isEmpty)
    }
  }

  @Test(.enabled(if: SmallDisk.isPossible, "no small disk can be mounted"))
  func aSmallDiskIsAnError() throws {
    try Scratch.use { scratch in
      let line = arguments(scratch + "/disk/prior").map { "'\($0)'" }.joined(separator: " ")
      let result = try Program.shell(
        """
        cd '\(scratch)' && mkdir disk && mount -t tmpfs -o size=1m none disk || exit
        segpipe \(line); echo $?
        ls -A disk/prior disk/prior/checkpoints; umount disk
        """)
      #expect(result.output.hasPrefix("74\n"), "\(result.output) \(result.errors)")
      #expect(!result.output.contains(".tmp"))
      #expect(result.errors.contains("No space left on device"))
    }
  }
}
