import Foundation
import Imaging
import TestSupport
import Testing

/// Pipelines that are killed, run twice at once, or on disks that fail: the next run always ends with the
/// bytes of an undisturbed one, and nothing half-written has a final name in between.
///
/// `SEGPIPE_KILLS` sets how many random moments are tried, `SEGPIPE_EVERY` that every n-th system call is,
/// and `SEGPIPE_CALLS` which calls; the whole of it is
///
///     SEGPIPE_KILLS=200 SEGPIPE_EVERY=1 swift test -c release --filter PipelineFaultTests
@Suite(.serialized) struct PipelineFaultTests {
  private static func number(_ name: String, _ usual: Int) -> Int {
    ProcessInfo.processInfo.environment[name].flatMap { Int($0) } ?? usual
  }

  private static func isChosen(_ call: String) -> Bool {
    ProcessInfo.processInfo.environment["SEGPIPE_CALLS"]?.split(separator: ",")
      .contains { $0 == call } ?? true
  }

  private static let strace = "/usr/bin/strace"
  private static let hasStrace = FileManager.default.isExecutableFile(atPath: strace)

  /// A pipeline of every kind of stage that takes a few seconds.
  private struct Case {
    let study: TinyStudy
    let definition: String
    /// What an undisturbed run gives, for the scans as they were before and as they are now.
    let (old, new): ([String: [UInt8]], [String: [UInt8]])

    init(_ folder: String) throws {
      study = try TinyStudy(folder, scans: 1)
      definition = folder + "/quick.yaml"
      try FileManager.default.createDirectory(
        atPath: folder + "/maps", withIntermediateDirectories: true)
      try Self.writeMap(folder, growth: 0.96)
      try """
      stages:
        atlas: {kind: build-atlas, maps: maps, refinements: 0}
        prior:
          kind: train-prior
          maps: maps
          atlas: ${atlas.atlas}
          steps: 3
          report-every: 2
          checkpoint-every: 1
        report:
          kind: report-prior
          maps: maps
          atlas: ${atlas.atlas}
          prior: ${prior.prior}
          log: ${prior.log}
          samples: 1
        encoder:
          kind: pretrain-encoder
          maps: maps
          atlas: ${atlas.atlas}
          prior: ${prior.prior}
          steps: 2
          checkpoint-every: 1
        segmenter:
          kind: train-segmenter
          scans: scans
          maps: maps
          atlas: ${atlas.atlas}
          prior: ${prior.prior}
          start: ${encoder.encoder}
          steps: 2
          checkpoint-every: 1
        encoder-report:
          kind: report-encoder
          encoder: ${segmenter.encoder}
          atlas: ${atlas.atlas}
          prior: ${prior.prior}
          maps: maps
          scans: scans
          logs:
            - ${encoder.log}
            - ${segmenter.log}
        segment:
          kind: segment
          scans: scans
          atlas: ${atlas.atlas}
          prior: ${prior.prior}
          encoder: ${segmenter.encoder}
          warp: no
          bias: no
          pictures: no
      """.write(toFile: definition, atomically: true, encoding: .utf8)
      let line = ["run", definition, "--workspace"]
      let first = try Program.run(line + [folder + "/old"])
      try #require(first.status == 0, "\(first.errors)")
      old = try study.results("old")
      try Self.writeMap(folder, growth: 1.02)
      let second = try Program.run(line + [folder + "/new"])
      try #require(second.status == 0, "\(second.errors)")
      new = try study.results("new")
      #expect(old.keys == new.keys && old != new)
    }

    private static func writeMap(_ folder: String, growth: Double) throws {
      try ImageWriter.write(
        labels: TinyAtlas.labels(on: TinyAtlas.grid, growth: growth), like: nil,
        to: folder + "/maps/s.nii", description: "test")
    }

    /// A workspace that holds what was made before the maps changed.
    func copyOld(to name: String) throws -> [String] {
      let path = study.folder + "/" + name
      try? FileManager.default.removeItem(atPath: path)
      try FileManager.default.copyItem(atPath: study.folder + "/old", toPath: path)
      return ["run", definition, "--workspace", path, "--threads", "1"]
    }

    /// Every file is what it was or what it will be; but for the study's tables, which may tell of a failure.
    func checkWhole(_ name: String, _ when: String) throws {
      for (path, bytes) in try study.results(name) {
        if bytes.last == UInt8(ascii: "\n"),
          path.hasPrefix("segment/summary.") || path == "segment/volumes.tsv"
        {
          continue
        }
        #expect(bytes == old[path] || bytes == new[path], "\(when): \(path) is neither old nor new")
      }
    }

    /// Another run mends everything, and clears up.
    func checkMended(_ name: String, _ when: String) throws {
      let path = study.folder + "/" + name
      let again = try Program.run("run", definition, "--workspace", path)
      #expect(again.status == 0, "\(when): \(again.errors)")
      #expect(try study.results(name) == new, "\(when)")
      let left = try FileManager.default.subpathsOfDirectory(atPath: path)
        .filter { $0.contains(".tmp") || $0.contains(".stage") }
      #expect(left.isEmpty, "\(when): \(left)")
    }

    /// How often a run makes a system call.
    func count(_ call: String) throws -> Int {
      let log = study.folder + "/calls"
      let result = try Program.run(
        PipelineFaultTests.strace,
        ["-f", "-o", log, "-e", "trace=" + call, try Program.path()]
          + copyOld(to: "count"))
      try #require(result.status == 0, "\(result.errors)")
      return try String(contentsOfFile: log, encoding: .utf8)
        .split(separator: "\n").count { $0.contains(" \(call)(") }
    }

    func inject(_ fault: String) throws -> Int32 {
      try Program.run(
        PipelineFaultTests.strace,
        ["-f", "-o", "/dev/null", "-e", "inject=" + fault, try Program.path()]
          + copyOld(to: "w")
      ).status
    }
  }

  @Test func killedAtRandomMoments() throws {
    try Scratch.use { folder in
      let quick = try Case(folder)
      let start = ContinuousClock.now
      let whole = try Program.run(quick.copyOld(to: "w"))
      #expect(whole.status == 0)
      let seconds = (ContinuousClock.now - start) / .seconds(1)
      var random = SeededRandom()
      for round in 0..<Self.number("SEGPIPE_KILLS", 4) {
        let line = try quick.copyOld(to: "w")
        let process = try Program.start(try Program.path(), line, [:], ["/dev/null", "/dev/null"])
        Thread.sleep(forTimeInterval: Double.random(in: 0..<seconds, using: &random))
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        let when = "round \(round), seed \(random.seed)"
        try quick.checkWhole("w", when)
        try quick.checkMended("w", when)
      }
    }
  }

  @Test(
    .enabled(if: hasStrace, "strace is not installed"),
    arguments: ["rename", "fsync", "write"].filter(isChosen))
  func killedAtACall(call: String) throws {
    try Scratch.use { folder in
      let quick = try Case(folder)
      let every = Self.number("SEGPIPE_EVERY", 30)
      let calls = try quick.count(call)
      var killed = 0
      for k in stride(from: 1, through: calls, by: every) {
        let when = "killed at \(call) \(k)"
        let status = try quick.inject("\(call):signal=KILL:when=\(k)")
        // A call of a number that this run does not come to kills nothing.
        #expect(status == 128 + SIGKILL || status == SIGKILL || status == 0, "\(when): \(status)")
        killed += status == 0 ? 0 : 1
        try quick.checkWhole("w", when)
        try quick.checkMended("w", when)
      }
      print("\(call): \(calls) calls, tried every \(every); the run was killed \(killed) times")
      #expect(killed > 0)
    }
  }

  @Test(
    .enabled(if: hasStrace, "strace is not installed"),
    arguments: [("write", "ENOSPC"), ("fsync", "EIO"), ("rename", "EDQUOT")].filter {
      isChosen($0.0)
    })
  func failingCalls(call: String, error: String) throws {
    try Scratch.use { folder in
      let quick = try Case(folder)
      let every = Self.number("SEGPIPE_EVERY", 30)
      let calls = try quick.count(call)
      var failed = 0
      for k in stride(from: 1, through: calls, by: every) {
        let when = "\(error) from \(call) \(k)"
        let status = try quick.inject("\(call):error=\(error):when=\(k)")
        // Words and logs may be lost; files may not.
        #expect(status == 74 || status == 0, "\(when): \(status)")
        failed += status == 74 ? 1 : 0
        try quick.checkWhole("w", when)
        if status == 0 { #expect(try quick.study.results("w") == quick.new, "\(when)") }
        try quick.checkMended("w", when)
      }
      print("\(call): \(calls) calls, tried every \(every); the run ended with 74 \(failed) times")
      #expect(failed > 0)
    }
  }

  @Test func twoAtOnce() throws {
    try Scratch.use { folder in
      let quick = try Case(folder)
      for round in 0..<3 {
        let line = try quick.copyOld(to: "w")
        let logs = (0..<2).map { "\(folder)/log\($0)" }
        for log in logs { _ = FileManager.default.createFile(atPath: log, contents: nil) }
        let both = try logs.map {
          try Program.start(try Program.path(), line, [:], ["/dev/null", $0])
        }
        for process in both {
          process.waitUntilExit()
          #expect(process.terminationStatus == 0, "\(quick.study.text("log0"))")
        }
        #expect(try quick.study.results("w") == quick.new, "round \(round)")
        // Each stage was done by one of them.
        let done = logs.map { quick.study.text(($0 as NSString).lastPathComponent) }.joined()
        #expect(done.components(separatedBy: ": done in ").count == 9, "\(done)")
      }
    }
  }

  /// A task that Slurm stops and gives to another node, which goes by what locks say.
  @Test(arguments: [SIGTERM, SIGINT]) func aStoppedRunHoldsNoLocks(signal: Int32) throws {
    try Scratch.use { folder in
      let study = try TinyStudy(folder, scans: 6)
      let process = try Program.start(
        try Program.path(),
        ["run", TinyStudy.definition, "--workspace", folder + "/w"] + study.settings, [:],
        ["/dev/null", "/dev/null"])
      func signed() -> [String] {
        let locks = folder + "/w/.segpipe/locks"
        let files = FileManager.default.subpaths(atPath: locks) ?? []
        return files.filter {
          $0.hasSuffix(".lock") && !study.text("w/.segpipe/locks/\($0)").isEmpty
        }
      }
      while process.isRunning, signed().isEmpty { Thread.sleep(forTimeInterval: 0.005) }
      kill(process.processIdentifier, signal)
      process.waitUntilExit()
      #expect(process.terminationStatus == 128 + signal)
      #expect(signed() == [])
      #expect(try study.run("w").status == 0)
    }
  }

  @Test func aBusyStageEndsTheWaitWith75() throws {
    try Scratch.use { folder in
      let quick = try Case(folder)
      let line = try quick.copyOld(to: "w")
      let lock = folder + "/w/.segpipe/locks/segment/a.lock"
      let result = try Program.shell(
        "flock '\(lock)' \"$SEGPIPE\" \(line.map { "'\($0)'" }.joined(separator: " ")) --wait 1",
        environment: ["SEGPIPE": try Program.path()])
      #expect(result.status == 75, "\(result.errors)")
      #expect(result.errors.contains("segment/a: waiting for another process, which works on it"))
      try quick.checkMended("w", "after the wait")
    }
  }
}
