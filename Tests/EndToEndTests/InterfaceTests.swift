import Foundation
import Imaging
import Testing

/// What every command does alike: usage, help, threads, streams, signals.
@Suite struct InterfaceTests {
  @Test(arguments: [
    (["labls"], "segpipe: error: there is no command 'labls'\n  hint: Did you mean 'labels'?\n"),
    (
      ["help", "segmnt"],
      "segpipe: error: there is no command 'segmnt'\n  hint: Did you mean 'segment'?\n"
    ),
    (["doctor", "--jsn"], "Unknown option '--jsn'. Did you mean '--json'?"),
    (["doctor", "--threads", "0"], "--threads is 0; it must be at least 1."),
    (["doctor", "--threads=-1"], "--threads is -1; it must be at least 1."),
    (["doctor", "--threads", "many"], "The value 'many' is invalid"),
    (["doctor", "--device", "cuda"], "--device is 'cuda'; segpipe computes on the cpu alone."),
    (["doctor", "--progress", "wheel"], "The value 'wheel' is invalid"),
    (["doctor", "-q", "-v"], "--quiet and --verbose exclude each other."),
    (["evaluate", "a.nii"], "Files go in pairs, each segmentation with its reference; 1 given."),
    (["evaluate", "a", "b", "-o", "c.xls"], "--output is 'c.xls'; it must end in .tsv or .csv."),
    (["labels", "convert", "a.tsv", "b.xyz"], "'b.xyz' has no known extension"),
    (["labels", "convert", "a.tsv"], "Missing expected argument '<output>'"),
  ])
  func usageErrorsSayWhatIsWrong(_ arguments: [String], _ words: String) throws {
    let line = arguments.map { "'\($0)'" }.joined(separator: " ")
    let result = try Program.shell("segpipe \(line)")
    #expect(result.status == 64)
    #expect(result.errors.contains(words), "\(result.errors)")
    #expect(result.output.isEmpty)
  }

  /// What a name's bytes would be read as is the name of no file.
  @Test func namesThatAreNoUTF8AreTold() throws {
    try Scratch.use { folder in
      let result = try Program.shell(
        "cd '\(folder)' && echo x > $'bad\\xffname.nii' && segpipe inspect $'bad\\xffname.nii'")
      #expect(result.status == 64)
      #expect(
        result.errors.contains("the argument 'bad\u{fffd}name.nii' is not UTF-8"),
        "\(result.errors)")
      let sound = try Program.shell(
        "cd '\(folder)' && echo x > 'bäd 🧠.nii' && segpipe inspect bäd*")
      #expect(sound.status == 65 && !sound.errors.contains("UTF-8"), "\(sound.errors)")
    }
  }

  @Test func tooManyThreadsAreClamped() throws {
    let result = try Program.run("doctor", "--threads", "1000000", "-q")
    #expect(result.status == 0)
    #expect(result.errors.hasPrefix("segpipe: warning: --threads 1000000 is too many for "))
  }

  @Test func logsMayBeJSON() throws {
    try Scratch.use { folder in
      try [UInt8]().write(to: folder + "/a.nii")
      let result = try Program.run(
        "segment", folder + "/a.nii", "-o", folder + "/s.nii", "--atlas", TinyAtlas.folder,
        "--log-format", "json", "--threads", "1000000")
      #expect(result.status == 65)
      let lines = try result.errors.split(separator: "\n").map { line in
        try #require(
          try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: String], "\(line)")
      }
      #expect(lines.compactMap { $0["level"] } == ["warning", "note", "error"])
      #expect(lines.last?["message"]?.contains("/a.nii: the file is empty") == true)
      #expect(lines.last?["hint"] != nil)
    }
  }

  /// Also those that only files and folders show.
  @Test(arguments: ["text", "json"]) func usageErrorsAreSaidAsAllErrorsAre(format: String) throws {
    try Scratch.use { folder in
      for name in ["a.nii", "b.nii"] { try Array("scan".utf8).write(to: "\(folder)/\(name)") }
      let log = folder + "/night.log"
      let result = try Program.run(
        "segment", folder, "-o", folder + "/out", "--affine", "a.mat", "--log-file", log,
        "--log-format", format)
      let message = "--affine is for one scan; 2 are given."
      let usage = "Usage: segpipe segment [<options>] [<scan> ...] --output <file>"
      #expect(result.status == 64)
      let line = result.errors.split(separator: "\n").first.map(String.init) ?? ""
      if format == "text" {
        #expect(result.errors == "segpipe: error: \(message)\n  hint: \(usage)\n")
      } else {
        let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: String]
        #expect(object == ["level": "error", "message": message, "hint": usage])
      }
      #expect(try String(contentsOfFile: log, encoding: .utf8).contains(message))
    }
  }

  /// No input: nothing is made for the output either.
  @Test(arguments: [
    ("segment none.nii.gz -o new/a/seg.nii.gz", 66), ("build-atlas none -o new", 66),
    ("segment scan.nii -o new/seg.nii --affine none.mat", 66),
    ("conform none.nii -o new/c.nii", 66), ("conform scan.nii -o new/c.txt", 64),
    ("evaluate none.nii scan.nii -o new/t.tsv", 66),
  ])
  func refusedRunsLeaveNoFolders(_ command: String, _ status: Int32) throws {
    try Scratch.use { folder in
      try Array("scan".utf8).write(to: folder + "/scan.nii")
      let result = try Program.shell("cd '\(folder)'; segpipe \(command)")
      #expect(result.status == status, "\(result.errors)")
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["scan.nii"])
    }
  }

  @Test(arguments: ["text", "json"]) func logFilesKeepWhatIsSaid(format: String) throws {
    try Scratch.use { folder in
      let log = folder + "/night.log"
      func run(_ log: String, _ more: String...) throws -> Program.Result {
        try Program.run(
          [
            "segment", folder + "/a.nii", "-o", folder + "/s.nii", "--atlas", TinyAtlas.folder,
            "--log-file", log, "--log-format", format,
          ] + more)
      }
      try [UInt8]().write(to: folder + "/a.nii")
      #expect(try run(log).status == 65)
      let quiet = try run(log, "--quiet")
      #expect(!quiet.errors.contains("atlas"))
      let lines = try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n")
      if format == "text" {
        // Twice the command line, the atlas that is used, the error, and its hint.
        try #require(lines.count == 8)
        let words = lines.map { $0.drop { $0 != " " }.dropFirst() }
        #expect(words[0].hasPrefix("log of segpipe ") && words[0].contains("/a.nii"))
        #expect(words[2] == "error: \(folder)/a.nii: the file is empty, expected an image")
        #expect(words[0...3].dropFirst() == words[4...7].dropFirst())
        for line in lines { #expect(line.prefix { $0 != " " }.hasSuffix("Z"), "\(line)") }
      } else {
        let levels = try lines.map { line in
          let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: String]
          #expect(object?["time"] != nil)
          return try #require(object?["level"])
        }
        #expect(levels == ["note", "note", "error", "note", "note", "error"])
      }
      // What is no log stays as it is.
      let scan = folder + "/scan.nii"
      try Array("no log".utf8).write(to: scan)
      let foreign = try run(scan)
      #expect(foreign.status == 73 && foreign.errors.contains("is there, and is no log of segpipe"))
      #expect(try fileBytes(scan) == Array("no log".utf8))
      #expect(try run(folder + "/none/night.log").status == 73)
      let full = try run("/dev/full")
      #expect(full.status == 65)
      #expect(full.errors.components(separatedBy: "the log is not complete").count == 2)
    }
  }

  @Test func helpHasExamplesForEveryCommand() throws {
    for command in [
      "", "segment", "build-atlas", "train-prior", "pretrain-encoder", "train-segmenter",
      "train-context", "reconstruct", "decode", "sample", "interpolate", "conform", "inspect",
      "evaluate", "labels convert", "run", "status", "collect", "bids", "demo", "bench",
      "bench prior-step", "bench decode", "bench accuracy", "bench encoder", "doctor",
    ] {
      let result = try Program.shell("segpipe help \(command)")
      #expect(result.status == 0)
      let lines = result.output.components(separatedBy: "\n")
      let examples = lines.drop { $0 != "Examples:" }.dropFirst().prefix { !$0.isEmpty }
      #expect(!examples.isEmpty, "\(command)")
      // They can be copied: none is broken in two where 80 columns end.
      #expect(examples.allSatisfy { $0.hasPrefix("  segpipe ") }, "\(command)")
    }
  }

  @Test func versionAndCompletionsArePrinted() throws {
    let version = try Program.run("--version")
    #expect(version.output.split(separator: ".").count == 3)
    let json = try Program.run("--version", "--json")
    let report = try #require(
      try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
    #expect("\(report["version"] ?? "")\n" == version.output)
    for shell in ["bash", "zsh", "fish"] {
      let result = try Program.run("--generate-completion-script", shell)
      #expect(result.status == 0)
      #expect(result.output.contains("evaluate"))
    }
  }

  @Test func aReaderThatLeavesIsNoError() throws {
    let result = try Program.shell("(sleep 0.3; segpipe doctor; echo $? >&2) | true")
    #expect(result.errors == "141\n")
  }

  @Test(arguments: [">&-", ">/dev/full"]) func lostOutputIsAnError(_ redirection: String) throws {
    let result = try Program.shell("segpipe doctor \(redirection)")
    #expect(result.status == 74)
    #expect(result.errors.hasPrefix("segpipe: error: cannot write to standard output: "))
  }

  @Test func colourIsAMatterOfChoice() throws {
    let force = ["CLICOLOR_FORCE": "1"]
    #expect(try Program.run("labls", environment: force).errors.contains("\u{1B}[31;1merror:"))
    let refused = ["CLICOLOR_FORCE": "1", "NO_COLOR": "1"]
    #expect(!(try Program.run("labls", environment: refused).errors.contains("\u{1B}")))
  }

  @Test(arguments: [(SIGINT, 130), (SIGTERM, 143)] as [(Int32, Int32)])
  func signalsEndItCleanly(_ signal: Int32, _ status: Int32) throws {
    try Scratch.use { folder in
      // Reading a pipe that nobody writes to lasts for ever.
      #expect(mkfifo(folder + "/endless", 0o600) == 0)
      let files = ["output", "errors"].map { folder + "/" + $0 }
      for file in files { _ = FileManager.default.createFile(atPath: file, contents: nil) }
      let process = try Program.start(
        try Program.path(), ["evaluate", folder + "/endless", folder + "/endless"], [:], files)
      usleep(300_000)
      kill(process.processIdentifier, signal)
      process.waitUntilExit()
      #expect(process.terminationReason == .exit)
      #expect(process.terminationStatus == status)
      let words = try String(contentsOfFile: files[1], encoding: .utf8)
      #expect(words == "segpipe: stopped by a signal; no partial output is left\n")
    }
  }

  @Test func aStoppedWriteLeavesNothingBehind() throws {
    try Scratch.use { folder in
      let grid = Grid(extents: SIMD3(120, 120, 120), affine: .identity)
      let scan = Volume(grid: grid, voxels: (0..<grid.count).map { Float($0 &* 7919 % 1013) })
      try ImageWriter.write(scan: scan, like: nil, to: folder + "/scan.nii", description: "test")
      let output = folder + "/out/conformed.nii.gz"
      for delay in stride(from: UInt32(20_000), through: 320_000, by: 60_000) {
        let files = ["output", "errors"].map { folder + "/" + $0 }
        for file in files { _ = FileManager.default.createFile(atPath: file, contents: nil) }
        let process = try Program.start(
          try Program.path(), ["conform", folder + "/scan.nii", "-o", output], [:], files)
        usleep(delay)
        kill(process.processIdentifier, SIGTERM)
        process.waitUntilExit()
        let left = (try? FileManager.default.contentsOfDirectory(atPath: folder + "/out")) ?? []
        // Either it was stopped in time, or the file was already whole.
        if !left.isEmpty {
          #expect(left == ["conformed.nii.gz"], "after \(delay) microseconds")
          _ = try ImageReader.readScan(output)
          try FileManager.default.removeItem(atPath: output)
        } else {
          #expect(process.terminationStatus != 0)
        }
      }
    }
  }

  @Test func doctorKnowsItsAtlas() throws {
    let good = try Program.run("doctor", "--json")
    #expect(good.status == 0)
    let report = try #require(
      try JSONSerialization.jsonObject(with: Data(good.output.utf8)) as? [String: Any])
    let names = (report["libraries"] as? [[String: Any]] ?? []).compactMap { $0["name"] as? String }
    #expect(names.contains("OpenBLAS") && names.contains("CKernels"))
    let lost = try Program.run("doctor", environment: ["SEGPIPE_ATLASES": "/nowhere"])
    #expect(lost.status == 1)
    #expect(lost.output.contains("FAILED   built-in atlas"))
    #expect(lost.output.contains("tried /nowhere/head"))
    try Scratch.use { folder in
      try FileManager.default.createDirectory(
        atPath: folder + "/head", withIntermediateDirectories: true)
      let empty = try Program.run("doctor", environment: ["SEGPIPE_ATLASES": folder])
      #expect(empty.status == 1)
      #expect(empty.output.contains("FAILED   built-in atlas: \(folder)/head: no usable atlas"))
    }
  }

  /// Temporary files lie beside outputs: no other folder is needed.
  @Test func doctorLooksAtWhatIsNeeded() throws {
    let result = try Program.run("doctor", environment: ["TMPDIR": "/nowhere"])
    #expect(result.status == 0, "\(result.output)")
    let elsewhere = try Program.shell("cd /proc; segpipe doctor")
    #expect(elsewhere.status == 0, "\(elsewhere.output)")
    #expect(elsewhere.output.contains("warning  write test: cannot create /proc/segpipe-doctor-"))
  }
}
