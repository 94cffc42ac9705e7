import Foundation
import Synchronization
import Testing

@testable import Pipelines

/// Order, failures, parts of a graph, shards, locks.
@Suite struct RunnerTests {
  @Test func aFailureStopsOnlyWhatNeedsIt() throws {
    let study = try Study()
    try study.scratch.write("bad", "scans/b")
    #expect(try study.run() == ["mark/b"])
    #expect(study.worked == study.all)
    #expect(
      study.scratch.text("work/sum.txt") == "<one+two>scan a\nfailed: Refusal\n<one+two>scan c")
    // It is tried again, and nothing else.
    #expect(try study.run() == ["mark/b"])
    #expect(study.worked == ["mark/b"])
    try study.scratch.write("good", "scans/b")
    #expect(try study.run() == [])
    #expect(study.worked == ["mark/b", "sum"])
    // An input that goes: what was made of it stays, and counts no more.
    try FileManager.default.removeItem(atPath: study.scratch.path("scans/b"))
    #expect(try study.run() == ["mark/b"])
    #expect(study.scratch.text("work/mark/b.txt") == "<one+two>good")
    #expect(
      study.scratch.text("work/sum.txt") == "<one+two>scan a\nfailed: FileError\n<one+two>scan c")

    try FileManager.default.removeItem(atPath: study.scratch.path("maps"))
    #expect(try study.run() == study.all)
    #expect(study.events.contains("mark/a blocked by model"))
  }

  @Test func aFailedStageLeavesThePreviousOutputs() throws {
    let study = try Study()
    try study.run()
    let before = study.scratch.files("work")
    study.prefix = "["
    study.trouble = { _ in throw Study.Refusal() }
    try study.run()
    #expect(study.scratch.text("work/mark/a.txt") == "<one+two>scan a")
    let now = study.scratch.files("work").filter { !$0.contains("failures") }
    #expect(now == before)
  }

  @Test func nothingIsBegunAfterAFailureWhereAskedSo() throws {
    let study = try Study()
    try study.scratch.write("bad", "scans/a")
    var options = RunOptions()
    options.stopsAtFailure = true
    #expect(try study.run(options) == ["mark/a", "mark/b", "mark/c", "sum"])
    #expect(study.worked == ["model", "mark/a"])
    options.stopsAtFailure = false
    options.shouldStop = { true }
    #expect(try study.run(options) == ["mark/a", "mark/b", "mark/c", "sum"])
    #expect(study.worked == ["mark/a"])
  }

  @Test func severalInFlightGiveTheSame() throws {
    let (one, several) = (try Study(), try Study())
    for study in [one, several] {
      study.scans = (0..<12).map { "s\($0)" }
      for scan in study.scans { try study.scratch.write("scan \(scan)", "scans/\(scan)") }
      try study.scratch.write("bad", "scans/s7")
    }
    let most = Mutex((now: 0, most: 0))
    several.trouble = { stage in
      guard stage.hasPrefix("mark/") else { return }
      most.withLock { $0 = ($0.now + 1, max($0.most, $0.now + 1)) }
      Thread.sleep(forTimeInterval: 0.02)
      most.withLock { $0.now -= 1 }
    }
    var options = RunOptions()
    options.inFlight = 4
    #expect(try one.run() == ["mark/s7"])
    #expect(try several.run(options) == ["mark/s7"])
    #expect(one.worked.first == several.worked.first && several.worked.last == "sum")
    #expect(several.worked.count == one.worked.count)
    #expect(one.scratch.text("work/sum.txt") == several.scratch.text("work/sum.txt"))
    #expect((2...4).contains(most.withLock { $0.most }))
    #expect(try several.run(options) == ["mark/s7"])
    #expect(several.worked == ["mark/s7"])
  }

  @Test func someOfTheScansAndWhatTheyNeed() throws {
    let study = try Study()
    var options = RunOptions()
    options.items = [1]
    #expect(try study.run(options) == [])
    #expect(study.worked == ["model", "mark/b"])
    options.items = nil
    #expect(try study.run(options) == [])
    #expect(study.worked == ["mark/a", "mark/c", "sum"])
  }

  @Test func partsOfAPipeline() throws {
    let study = try Study()
    var options = RunOptions()
    options.until = "mark"
    try study.run(options)
    #expect(study.worked == ["model", "mark/a", "mark/b", "mark/c"])
    options.until = nil
    options.from = "sum"
    try study.run(options)
    #expect(study.worked == ["sum"])
    // What comes before is not done, and so cannot be relied on.
    study.version = 2
    options.from = "mark"
    #expect(try study.run(options) == ["mark/a", "mark/b", "mark/c", "sum"])
    options.until = "model"
    #expect(throws: PipelineError.nothingBetween(from: "mark", until: "model")) {
      try study.run(options)
    }
    options.until = nil
    options.from = "marks"
    #expect(throws: PipelineError.unknownStage("marks", known: ["model", "mark", "sum"])) {
      try study.run(options)
    }
  }

  @Test func shardsTogetherAreTheWhole() throws {
    let (whole, parts) = (try Study(), try Study())
    for study in [whole, parts] { try study.scratch.write("bad", "scans/c") }
    try whole.run()
    var worked: [String] = []
    for number in 1...2 {
      var options = RunOptions()
      options.shard = try Shard("\(number)/2", environment: [:])
      try parts.run(options)
      worked += parts.worked
    }
    #expect(worked == ["model", "mark/a", "mark/c", "mark/b"])
    #expect(parts.scratch.text("work/sum.txt") == nil)
    var options = RunOptions()
    options.from = "sum"
    try parts.run(options)
    #expect(parts.worked == ["sum"])
    #expect(parts.scratch.files("work") == whole.scratch.files("work"))
    #expect(parts.scratch.text("work/sum.txt") == whole.scratch.text("work/sum.txt"))
  }

  @Test(arguments: [
    ("1/1", [:], 0, 1), ("3/4", [:], 2, 4),
    ("auto", ["ID": "7", "COUNT": "3", "MIN": "5", "MAX": "7"], 2, 3),
    ("auto", ["ID": "0", "COUNT": "2", "MIN": "0", "MAX": "1"], 0, 2),
    ("auto", ["ID": "5", "COUNT": "3", "MIN": "1", "MAX": "5", "STEP": "2"], 2, 3),
  ])
  func shardNames(text: String, task: [String: String], index: Int, count: Int) throws {
    let environment = Dictionary(
      uniqueKeysWithValues: task.map { ("SLURM_ARRAY_TASK_" + $0.key, $0.value) })
    let shard = try Shard(text, environment: environment)
    #expect(shard.index == index && shard.count == count)
  }

  @Test(arguments: [
    "", "0/3", "4/3", "1/0", "1", "a/b", "1/2/3", "-1/2", "\(Int.min)/2", "1/\(Int.min)",
  ])
  func badShardNames(text: String) {
    #expect(throws: PipelineError.badShard(text)) { try Shard(text, environment: [:]) }
    #expect(throws: PipelineError.noArray) { try Shard("auto", environment: [:]) }
  }

  @Test(arguments: [
    ("ID", "\(Int.max)"), ("ID", "\(Int.min)"), ("COUNT", "two"), ("MIN", "-\(Int.max)"),
    ("MAX", "99999999999"), ("STEP", ""),
  ])
  func badArrays(name: String, value: String) {
    var environment = ["SLURM_ARRAY_TASK_ID": "1", "SLURM_ARRAY_TASK_COUNT": "2"]
    let variable = "SLURM_ARRAY_TASK_" + name
    environment[variable] = value
    #expect(throws: PipelineError.badArray(variable: variable, value: value)) {
      try Shard("auto", environment: environment)
    }
  }

  @Test func forbiddenGraphs() throws {
    var (a, b) = (
      StagePlan(id: "a", name: "x", version: 1), StagePlan(id: "b", name: "x", version: 1)
    )
    (a.outputs, b.outputs) = ([StageOutput("a")], [StageOutput("b")])
    (a.inputs, b.inputs) = (
      [StageInput("i", .workspace("b"))], [StageInput("i", .workspace("a/x"))]
    )
    #expect(throws: PipelineError.cycle(["a", "b"])) { try StageGraph([a, b]) }
    b.outputs = [StageOutput("a")]
    #expect(
      throws: PipelineError.sameOutput(path: "a", stages: ["a", "b"], inputs: ["b", "a/x"])
    ) {
      try StageGraph([a, b])
    }
    // What both read tells nothing.
    a.inputs = [StageInput("i", .outside("x/s.nii")), StageInput("atlas", .outside("atlas"))]
    b.inputs = [StageInput("atlas", .outside("atlas")), StageInput("i", .outside("y/s.nii"))]
    #expect(
      throws: PipelineError.sameOutput(
        path: "a", stages: ["a", "b"], inputs: ["x/s.nii", "y/s.nii"])
    ) {
      try StageGraph([a, b])
    }
  }

  @Test func aFolderWithForeignFilesIsNotTaken() throws {
    let study = try Study()
    try study.scratch.write("mine", "work/mark/a.txt")
    let path = study.scratch.path("work/mark/a.txt")
    #expect(throws: PipelineError.foreignOutput(path: path)) { try study.run() }
    #expect(study.scratch.text("work/mark/a.txt") == "mine")
    #expect(study.scratch.files("work") == ["mark/a.txt"])
  }

  /// Neither by a stage that is new in a workspace, nor under a name that is new in a stage's folder.
  @Test func foreignFilesAreNotReplacedLater() throws {
    let study = try Study()
    try study.run()
    study.scans.append("d")
    try study.scratch.write("scan d", "scans/d")
    try study.scratch.write("mine", "work/mark/d.txt")
    #expect(try study.run() == ["mark/d"])
    let path = study.scratch.path("work/mark/d.txt")
    #expect(study.events.contains("mark/d failed: \(PipelineError.foreignOutput(path: path))"))
    #expect(study.worked == ["sum"] && study.scratch.text("work/mark/d.txt") == "mine")
    try FileManager.default.removeItem(atPath: path)
    #expect(try study.run() == [])
    #expect(study.scratch.text("work/mark/d.txt") == "<one+two>scan d")

    let record = study.scratch.path("work/.segpipe/records/model.json")
    try FileManager.default.removeItem(atPath: record)
    try study.scratch.write("mine", "work/model/text")
    #expect(try study.run() == study.all)
    #expect(study.scratch.text("work/model/text") == "mine")
    // Over its own file a stage writes whatever became of it.
    let other = try Study()
    try other.run()
    try other.scratch.write("mine", "work/mark/a.txt")
    #expect(try other.run() == [])
    #expect(other.scratch.text("work/mark/a.txt") == "<one+two>scan a")
  }

  /// A note that a killed run left beside a record.
  @Test func failuresThatArePastAreNotGathered() throws {
    let study = try Study()
    try study.run()
    let note = try FailureNote(message: "past", hint: nil, status: 65).bytes()
    try study.scratch.write(
      String(decoding: note, as: UTF8.self), "work/.segpipe/failures/mark/b.json")
    var options = RunOptions()
    options.gathersOnly = true
    #expect(try study.run(options) == [] && study.worked == [])
    try FileManager.default.removeItem(atPath: study.scratch.path("work/sum.txt"))
    try study.run(options)
    #expect(
      study.scratch.text("work/sum.txt") == "<one+two>scan a\n<one+two>scan b\n<one+two>scan c")
    // Where the record holds no more, the note tells why.
    try study.scratch.write("scan B", "scans/b")
    try study.run(options)
    #expect(
      study.scratch.text("work/sum.txt") == "<one+two>scan a\nfailed: past\n<one+two>scan c")
  }

  @Test func whatAStoppedRunLeftIsCleared() throws {
    let study = try Study()
    try study.scratch.write("half", "work/.segpipe/staging/mark/a.stage/mark/a.txt")
    try study.scratch.write("half", "work/.segpipe/staging/gone.stage/x/.segpipe-1-2.tmp")
    try study.run()
    #expect(study.scratch.files("work").filter { $0.contains(".stage") } == [])
    #expect(study.scratch.text("work/mark/a.txt") == "<one+two>scan a")
  }

  // MARK: - Locks

  private func sign(_ holder: LockHolder, _ study: Study, _ id: String) throws {
    let text = String(decoding: try JSONEncoder().encode(holder), as: UTF8.self)
    try study.scratch.write(text, "work/.segpipe/locks/\(id).lock")
  }

  @Test func locksOfTheDeadAreTakenOver() throws {
    let me = LockHolder.current
    for holder in [
      LockHolder(pid: 999_999_999, started: "1", boot: me.boot, host: me.host),
      LockHolder(pid: 1, started: "another", boot: me.boot, host: me.host),
      LockHolder(pid: 1, started: nil, boot: "another", host: me.host),
    ] {
      let study = try Study()
      try sign(holder, study, "mark/a")
      #expect(try study.run() == [])
      #expect(study.events.contains("mark/a from \(holder.pid)"))
    }
    let study = try Study()
    try study.scratch.write("{\"pi", "work/.segpipe/locks/mark/a.lock")
    #expect(try study.run() == [])
  }

  @Test func locksOfOtherMachinesAreNot() throws {
    let study = try Study()
    let holder = LockHolder(pid: 1, started: nil, boot: "b", host: "elsewhere.example")
    try sign(holder, study, "mark/a")
    var options = RunOptions()
    options.patience = .milliseconds(300)
    #expect(try study.run(options) == ["mark/a"])
    #expect(study.worked == ["model", "mark/b", "mark/c", "sum"])
    #expect(study.events.contains("mark/a waits"))
    #expect(study.events.contains { $0.contains("lockedElsewhere") })

    options.patience = .seconds(20)
    let path = study.scratch.path("work/.segpipe/locks/mark/a.lock")
    let release = Thread {
      Thread.sleep(forTimeInterval: 0.3)
      truncate(path, 0)
    }
    release.start()
    #expect(try study.run(options) == [])
    #expect(study.worked == ["mark/a", "sum"])
  }

  @Test(arguments: [1, 3])
  func aHeldLockIsWaitedForAndNotForever(inFlight: Int) throws {
    let study = try Study()
    let path = study.scratch.path("work/.segpipe/locks/mark/a.lock")
    guard case .taken(let lock, nil) = try StageLock.acquire(path) else {
      Issue.record("a new lock is not free")
      return
    }
    guard case .busy(let holder) = try StageLock.acquire(path) else {
      Issue.record("a held lock is free")
      return
    }
    #expect(holder == .current)
    var options = RunOptions()
    options.inFlight = inFlight
    options.patience = .milliseconds(300)
    #expect(try study.run(options) == ["mark/a"])
    // The others did not wait for it, but for what gathers them all.
    #expect(study.worked.first == "model" && study.worked.last == "sum")
    #expect(study.worked.sorted() == ["mark/b", "mark/c", "model", "sum"])
    #expect(study.events.contains("mark/a waits"))

    options.patience = .seconds(20)
    let held = lock
    let release = Thread {
      Thread.sleep(forTimeInterval: 0.3)
      held.release()
    }
    release.start()
    #expect(try study.run(options) == [])
    #expect(study.worked == ["mark/a", "sum"])
  }

  @Test func statusTellsHowStagesStand() throws {
    let study = try Study()
    try study.scratch.write("bad", "scans/b")
    try study.run()
    try study.scratch.write("scan A", "scans/a")
    let before = study.scratch.files("work")
    let all = try StageStatus.all(in: Workspace(study.scratch.path("work")))
    #expect(all.map(\.plan.id) == study.all)
    func state(_ id: String) -> String {
      all.first { $0.plan.id == id }.map { "\($0.state)" } ?? ""
    }
    #expect(state("model") == "done" && state("mark/c") == "done")
    #expect(state("mark/a").contains("inputChanged"))
    #expect(state("mark/b").contains("Refusal"))
    #expect(state("sum").contains("after(stage: \"mark/a\")"))
    #expect((all[0].last?.seconds ?? -1) >= 0 && (all[0].last?.peakBytes ?? 0) > 0)
    #expect(all[2].last?.isDone == false)
    #expect(study.scratch.files("work") == before)
    #expect(throws: PipelineError.noPlan(workspace: study.scratch.folder)) {
      try StageStatus.all(in: Workspace(study.scratch.folder))
    }
  }

  @Test func checkpointsOutliveAStoppedStageAndFollowItsInputs() throws {
    let study = try Study()
    let check = StageCheck(Workspace(study.scratch.path("work")), FileLedger())
    var plan = try #require(study.stages.first?.plan)
    let first = try check.workspace.checkpoints(plan, inputs: check.inputs(of: plan))
    #expect(try check.workspace.checkpoints(plan, inputs: check.inputs(of: plan)) == first)
    plan.parameters = [StageParameter("steps", .number(3))]
    #expect(try check.workspace.checkpoints(plan, inputs: check.inputs(of: plan)) != first)
    let name = String(first.dropFirst(study.scratch.folder.count + 1))
    try study.scratch.write("1", name + "/step")
    study.trouble = { _ in throw Study.Refusal() }
    try study.run()
    #expect(study.scratch.text(name + "/step") == "1")
    study.trouble = { _ in }
    try study.run()
    #expect(study.scratch.text(name + "/step") == nil)
  }
}
