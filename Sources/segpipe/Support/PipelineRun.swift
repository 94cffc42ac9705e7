import ArgumentParser
import Files
import Foundation
import Parallel
import Pipelines
import Reports
import Synchronization

/// Runs stages, tells how it goes, and sums up.
struct PipelineRun {
  let console: Console
  let context: StageContext
  let workspace: Workspace

  /// Brings the stages up to date.
  ///
  /// - Throws: `PipelineError`, `FileError`; `ExitCode`, the numerically highest of the failures' codes.
  func perform(_ stages: [Stage], pipeline: String, options: RunOptions) throws {
    let progress = console.progress("running \(pipeline)")
    let count = RunProgress(progress)
    let threads = Parallel.threads
    let runner = try Runner(
      stages, in: workspace, options: options, describe: note,
      report: { event in
        switch event {
        case .starting(let plan, _):
          // Scans that are in flight together share the threads.
          Parallel.threads = max(1, threads / (plan.item == nil ? 1 : options.inFlight))
        case .ended(let plan, _): count.end(plan.id)
        case .waiting, .tookOver: break
        }
        tell(event)
      })
    defer { Parallel.threads = threads }
    count.start(of: runner.plans.count)
    context.onAdvance { count.advance($0, $1) }
    if options.inFlight > 1 { console.detail("scans in flight: up to \(options.inFlight)") }
    let results = try runner.run(pipeline: pipeline)
    progress.finish()
    tellCounts(results)
    try conclude(results)
  }

  /// What a run would do, a line for each stage, on standard output.
  func dryRun(_ stages: [Stage], options: RunOptions) throws {
    let runner = try Runner(stages, in: workspace, options: options, describe: note)
    var highest: Int32 = 0
    var rows: [[String]] = []
    for (plan, prospect) in runner.prospects() {
      let (word, reason): (String, String)
      switch prospect {
      case .run(let reasons): (word, reason) = ("run", reasons.text)
      case .reuse: (word, reason) = ("reuse", "unchanged")
      case .blocked(let by): (word, reason) = ("blocked", "\(by) is not done")
      case .failing(let error):
        let diagnosis = Diagnosis(of: error)
        highest = max(highest, diagnosis.status.rawValue)
        (word, reason) = ("blocked", diagnosis.message)
      }
      rows.append([word, plan.title, reason])
    }
    let table = String(decoding: DelimitedText.tsv.encoded(rows), as: UTF8.self)
    if !rows.isEmpty { try console.output(table) }
    if highest != 0 { throw ExitCode(highest) }
  }

  /// Tells which scans' stages are not done as they are asked for, after what gathers them; `hint` is said where some
  /// were done otherwise.
  ///
  /// - Throws: `ExitCode`, the numerically highest of the failures' codes, 75 for what nobody has come to.
  func tellUnfinished(_ stages: [Stage], hint: String? = nil) throws {
    var status: Int32 = 0
    var isStale = false
    for stage in try StageStatus.all(of: stages, in: workspace) where !stage.plan.gathers {
      let words: String
      switch stage.state {
      case .done: continue
      case .failed(let note):
        console.say("  \(stage.plan.title): \(note.message)")
        status = max(status, note.status)
        continue
      case .stale([.neverDone]), .blocked: words = "not done"
      case .stale(let reasons):
        words = "not done as asked for: \(reasons.text)"
        isStale = true
      case .running: words = "not done, it is being worked on"
      case .unreadable(let error): words = "not done: \(Diagnosis(of: error).message)"
      }
      console.say("  \(stage.plan.title): \(words)")
      status = max(status, Reports.ExitStatus.temporary.rawValue)
    }
    if isStale, let hint { console.say("  hint: " + hint) }
    if status != 0 { throw ExitCode(status) }
  }

  /// An error for the workspace's note, which others may read: scans by their files' names alone.
  private func note(_ error: any Error, _ plan: StagePlan) -> FailureNote {
    let diagnosis = Diagnosis(of: error)
    var message = diagnosis.message
    for input in plan.inputs {
      let path = workspace.path(of: input.location)
      message = message.replacing(path, with: (path as NSString).lastPathComponent)
    }
    if case FileError.brokenLink(_, let target) = error, target.hasPrefix("/") {
      message = message.replacing(target, with: (target as NSString).lastPathComponent)
    }
    message = message.replacing(workspace.root + "/", with: "")
    return FailureNote(
      message: message, hint: diagnosis.hint, status: diagnosis.status.rawValue)
  }

  private func tell(_ event: RunEvent) {
    switch event {
    case .starting(let plan, let reasons):
      if reasons == [.damagedRecord] {
        console.warn("\(plan.title): \(reasons.text); it is done again")
      } else {
        console.note("\(plan.title): \(reasons.text)")
      }
    case .ended(let plan, .reused): console.detail("\(plan.title): reused")
    case .ended(let plan, .done(let seconds, let peak)):
      let memory = peak.map { ", \(ByteText.of($0))" } ?? ""
      console.note("\(plan.title): done in \(DecimalText.fixed(seconds, 1)) s\(memory)")
    case .ended(_, .failed(let error)): console.report(Diagnosis(of: error))
    case .ended(let plan, .blocked(let by)): console.warn("\(plan.title): not done, it needs \(by)")
    case .waiting(let plan, let holder):
      let who =
        holder.map { holder in
          "process \(holder.pid)"
            + (holder.host == LockHolder.current.host ? "" : " on \(holder.host)")
        } ?? "another process"
      console.note("\(plan.title): waiting for \(who), which works on it")
    case .tookOver(let plan, let holder):
      console.note("\(plan.title): taken over from process \(holder.pid), which is gone")
    }
  }

  private func tellCounts(_ results: [(plan: StagePlan, outcome: Outcome)]) {
    // What gathers is told apart: the others' count is that of scans.
    func name(_ plan: StagePlan) -> String { plan.gathers ? plan.title : plan.group }
    var names: [String] = []
    for (plan, _) in results where !names.contains(name(plan)) { names.append(name(plan)) }
    for group in names {
      var counts = [("done", 0), ("reused", 0), ("failed", 0), ("not done", 0)]
      for (plan, outcome) in results where name(plan) == group {
        switch outcome {
        case .done: counts[0].1 += 1
        case .reused: counts[1].1 += 1
        case .failed: counts[2].1 += 1
        case .blocked: counts[3].1 += 1
        }
      }
      let words = counts.filter { $0.1 > 0 }.map { "\($0.1) \($0.0)" }
      console.note("\(group): \(words.joined(separator: ", "))")
    }
  }

  private func conclude(_ results: [(plan: StagePlan, outcome: Outcome)]) throws {
    let failures = results.compactMap { plan, outcome -> (title: String, diagnosis: Diagnosis)? in
      if case .failed(let error) = outcome { (plan.title, Diagnosis(of: error)) } else { nil }
    }
    let blocked = results.contains { if case .blocked = $0.outcome { true } else { false } }
    if !failures.isEmpty {
      console.say("segpipe: \(failures.count) of \(results.count) stages failed:")
      for (title, diagnosis) in failures {
        // Some errors begin with the stage themselves.
        let begins = diagnosis.message.hasPrefix(title + ":")
        console.say("  " + (begins ? "" : title + ": ") + diagnosis.message)
      }
    }
    var status = failures.map(\.diagnosis.status.rawValue).max() ?? 0
    // Nothing of this run failed, and yet what was asked for could not be done.
    if status == 0, blocked { status = Reports.ExitStatus.noInput.rawValue }
    if status != 0 { throw ExitCode(status) }
  }
}

/// How much of a run is done, from the parts of its stages. May be told from any thread.
private final class RunProgress: Sendable {
  private struct State {
    var stages = 1
    var ended = 0
    /// Of stages that are worked on, 0...1.
    var parts: [String: Double] = [:]

    var fraction: Double { (Double(ended) + parts.values.reduce(0, +)) / Double(stages) }
  }

  private let progress: Progress
  private let state = Mutex(State())

  init(_ progress: Progress) { self.progress = progress }

  func start(of stages: Int) { state.withLock { $0.stages = max(1, stages) } }

  func advance(_ stage: String, _ part: Double) {
    let fraction = state.withLock { state in
      state.parts[stage] = min(max(part, 0), 1)
      return state.fraction
    }
    progress.update(fraction)
  }

  func end(_ stage: String) {
    let fraction = state.withLock { state in
      state.parts[stage] = nil
      state.ended += 1
      return state.fraction
    }
    progress.update(fraction)
  }
}

extension StagePlan {
  /// What a person is told of a stage by.
  var title: String { gathers ? id + " summary" : id }
}
