import Files
import Foundation

/// Brings a graph of stages up to date, or a part of it.
///
/// One thread decides what is next. Stages that can be shared out may be worked on by others, several at once;
/// what those share with it is guarded by `turn`.
package final class Runner: @unchecked Sendable {
  let workspace: Workspace
  let graph: StageGraph
  let options: RunOptions
  let ledger: FileLedger
  private let stages: [String: Stage]
  private let selected: Set<String>
  /// What to note down of an error.
  private let describe: (any Error, StagePlan) -> FailureNote
  private let report: (RunEvent) -> Void
  private let turn = NSRecursiveLock()
  private var outcomes: [String: Outcome] = [:]
  /// The first stage that failed.
  private var failed: String?
  private let crew = Crew<Outcome>()
  /// Of stages that are not selected: whether their records hold.
  private var holding: [String: Bool] = [:]

  /// - Throws: `PipelineError` for a graph that makes no sense, or an unknown stage in the options.
  package init(
    _ stages: [Stage], in workspace: Workspace, options: RunOptions = RunOptions(),
    describe: @escaping (any Error, StagePlan) -> FailureNote,
    report: @escaping (RunEvent) -> Void = { _ in }
  ) throws {
    self.workspace = workspace
    self.options = options
    self.describe = describe
    let turn = turn
    self.report = { event in turn.withLock { report(event) } }
    graph = try StageGraph(stages.map(\.plan))
    self.stages = Dictionary(stages.map { ($0.plan.id, $0) }) { first, _ in first }
    selected = try Selection(graph, options).ids
    ledger = FileLedger(rehashes: options.verifies)
  }

  /// The stages that are to be brought up to date, in order.
  package var plans: [StagePlan] { graph.ordered.filter { selected.contains($0.id) } }

  private var check: StageCheck {
    var check = StageCheck(workspace, ledger)
    check.isFresh = { [unowned self] location in graph.isFresh(location, isGood: isGood) }
    return check
  }

  /// Runs what is not up to date. `pipeline` is a name for those who look at the workspace later.
  ///
  /// A stage that fails stops those that need it and no others.
  ///
  /// - Returns: How each selected stage ended, in order.
  /// - Throws: `FileError`, `PipelineError.foreignOutput` when the workspace cannot be used.
  package func run(pipeline: String) throws -> [(plan: StagePlan, outcome: Outcome)] {
    try workspace.prepare(for: graph.ordered.compactMap { stages[$0.id] })
    workspace.sweep()
    if !options.keepsPlan {
      try PlanFile(pipeline: pipeline, stages: graph.ordered).write(to: workspace)
    }
    var waiting = plans
    var told: Set<String> = []
    var since = ContinuousClock.now
    while !waiting.isEmpty || crew.isWorking {
      var busy: [(plan: StagePlan, holder: LockHolder?, isElsewhere: Bool)] = []
      var later: [StagePlan] = []
      for (plan, outcome) in crew.finished() {
        end(plan, outcome)
        since = .now
      }
      for plan in waiting {
        if let failed, options.stopsAtFailure || options.shouldStop() {
          end(plan, .blocked(by: failed))
          continue
        }
        switch begin(plan) {
        case .ended(let outcome): end(plan, outcome)
        case .busy(let holder, let isElsewhere):
          busy.append((plan, holder, isElsewhere))
          later.append(plan)
        case .early, .ready: later.append(plan)
        case .begun: break
        }
      }
      if later.count < waiting.count || crew.isWorking { since = .now }
      waiting = later
      guard !crew.isWorking else {
        crew.wait()
        continue
      }
      guard !waiting.isEmpty else { break }
      for (plan, holder, _) in busy where told.insert(plan.id).inserted {
        report(.waiting(plan, holder))
      }
      if ContinuousClock.now - since >= options.patience {
        for (plan, holder, isElsewhere) in busy {
          end(plan, .failed(locked(plan, by: holder, isElsewhere)))
        }
        waiting.removeAll { outcomes[$0.id] != nil }
      } else {
        Thread.sleep(forTimeInterval: 0.1)
      }
    }
    return plans.compactMap { plan in outcomes[plan.id].map { (plan, $0) } }
  }

  private func end(_ plan: StagePlan, _ outcome: Outcome) {
    turn.withLock {
      outcomes[plan.id] = outcome
      if case .failed = outcome { failed = failed ?? plan.id }
    }
    report(.ended(plan, outcome))
  }

  private func locked(
    _ plan: StagePlan, by holder: LockHolder?, _ isElsewhere: Bool
  ) -> PipelineError {
    if isElsewhere, let holder {
      return .lockedElsewhere(stage: plan.id, holder: holder, lock: workspace.lock(plan.id))
    }
    let seconds = Double(options.patience.components.seconds)
    return .locked(stage: plan.id, holder: holder, seconds: seconds)
  }

  private enum Attempt {
    case ended(Outcome)
    /// Another process works on it; with `isElsewhere` the lock says so, and the kernel does not.
    case busy(LockHolder?, isElsewhere: Bool)
    /// What it needs has not ended yet.
    case early
    /// It could be worked on, but for others that are.
    case ready
    /// It is being worked on.
    case begun
  }

  /// Finds out how a stage stands, and works on it or has it worked on.
  private func begin(_ plan: StagePlan) -> Attempt {
    let isShared = options.inFlight > 1 && plan.item != nil
    // Not looked at before its turn: there may be thousands.
    if isShared, crew.count >= options.inFlight { return .ready }
    let standing = standing(of: plan)
    guard case .ready = standing else { return standing }
    // A stage that is no scan's has the machine to itself.
    if !isShared, crew.isWorking { return .ready }
    do {
      switch try StageLock.acquire(workspace.lock(plan.id)) {
      case .busy(let holder): return .busy(holder, isElsewhere: false)
      case .elsewhere(let holder): return .busy(holder, isElsewhere: true)
      case .taken(let lock, let previous):
        if let previous { report(.tookOver(plan, previous)) }
        guard isShared else { return .ended(work(on: plan, lock)) }
        crew.work(on: plan) { [self] in work(on: plan, lock) }
        return .begun
      }
    } catch {
      return .ended(.failed(error))
    }
  }

  /// Works on a stage, and lets go of its lock.
  private func work(on plan: StagePlan, _ lock: StageLock) -> Outcome {
    defer { lock.release() }
    do {
      return try perform(plan)
    } catch {
      return .failed(error)
    }
  }

  private func standing(of plan: StagePlan) -> Attempt {
    let needs = graph.needs[plan.id, default: []]
    if needs.contains(where: { selected.contains($0) && outcomes[$0] == nil }) { return .early }
    if let blocker = blocker(of: plan, isGood: isGood) { return .ended(.blocked(by: blocker)) }
    // What gathers tells of failures; where there was not even a try, it leaves what was gathered before.
    for need in needs {
      if case .blocked? = outcomes[need] { return .ended(.blocked(by: need)) }
    }
    // An input that cannot be read is told of where it is noted down.
    if case .holds(let refreshed)? = try? check.verdict(on: plan) {
      return .ended(reuse(plan, refreshed))
    }
    return .ready
  }

  /// The first needed stage that did not give what is needed.
  func blocker(of plan: StagePlan, isGood: (String) -> Bool) -> String? {
    for input in plan.inputs where !input.isOptional {
      if let maker = graph.maker(of: input.location), !isGood(maker) { return maker }
    }
    return nil
  }

  private func isGood(_ id: String) -> Bool {
    turn.lock()
    defer { turn.unlock() }
    if selected.contains(id) { return outcomes[id]?.isGood ?? false }
    if let known = holding[id] { return known }
    let plan = graph.ordered.first { $0.id == id }
    var holds = false
    if let plan, blocker(of: plan, isGood: isGood) == nil,
      case .holds? = try? check.verdict(on: plan)
    {
      holds = true
    }
    holding[id] = holds
    return holds
  }

  private func reuse(_ plan: StagePlan, _ refreshed: Record?) -> Outcome {
    if let refreshed, let bytes = try? RecordFile.bytes(refreshed) {
      // To save time only: a workspace that cannot be written to is read all the same.
      try? workspace.replace(workspace.record(plan.id), with: bytes, lockedAs: plan.id)
    }
    forgetFailure(of: plan.id)
    return .reused
  }

  /// Works on a stage whose lock is held.
  private func perform(_ plan: StagePlan) throws -> Outcome {
    // Whoever held the lock may have done it.
    let verdict: Verdict
    do {
      verdict = try check.verdict(on: plan)
    } catch {
      noteFailure(error, of: plan)
      throw error
    }
    guard case .redo(let reasons) = verdict, let stage = stages[plan.id] else { return .reused }
    report(.starting(plan, reasons))
    // The peak is the process's: with several at work it is that of all since the first.
    if options.inFlight == 1 || plan.item == nil { PeakMemory.reset() }
    let start = ContinuousClock.now
    func log(isDone: Bool) -> RunLog.Line {
      let time = (ContinuousClock.now - start).components
      let line = RunLog.Line(
        stage: plan.id, seconds: Double(time.seconds) + Double(time.attoseconds) * 1e-18,
        peakBytes: PeakMemory.current, isDone: isDone)
      RunLog(path: workspace.log).append(line)
      return line
    }
    do {
      try StageWork(stage: stage, workspace: workspace, check: check).perform()
    } catch {
      _ = log(isDone: false)
      noteFailure(error, of: plan)
      throw error
    }
    forgetFailure(of: plan.id)
    let line = log(isDone: true)
    return .done(seconds: line.seconds, peakBytes: line.peakBytes)
  }

  private func noteFailure(_ error: any Error, of plan: StagePlan) {
    // What cannot be written on a full disk is told at the end of the run all the same.
    guard let bytes = try? describe(error, plan).bytes() else { return }
    let path = workspace.path(of: Workspace.failure(of: plan.id))
    if FileManager.default.contents(atPath: path) == Data(bytes) { return }
    try? workspace.replace(path, with: bytes, lockedAs: ".failures/\(plan.id)")
  }

  private func forgetFailure(of id: String) {
    unlink(workspace.path(of: Workspace.failure(of: id)))
  }
}
