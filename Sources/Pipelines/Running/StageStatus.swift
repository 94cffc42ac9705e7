/// How a stage stands, found without changing anything.
package struct StageStatus {
  package enum State {
    case done
    /// It would be done again, and why; `neverDone` where it never was.
    case stale([RedoReason])
    case running(LockHolder)
    case failed(FailureNote)
    case blocked(by: String)
    /// An input cannot be read.
    case unreadable(any Error)
  }

  package let plan: StagePlan
  package let state: State
  /// Of the last time that it ran.
  package let last: RunLog.Line?

  /// The stages of a workspace's last run. With `rehashes` files are hashed whatever their stamps say.
  ///
  /// - Throws: `PipelineError`.
  package static func all(in workspace: Workspace, rehashes: Bool = false) throws -> [StageStatus] {
    let stages = try PlanFile(of: workspace).stages.map { Stage($0) { _ in } }
    return try all(of: stages, in: workspace, rehashes: rehashes)
  }

  /// Stages as they are asked for now.
  ///
  /// - Throws: `PipelineError`.
  package static func all(
    of stages: [Stage], in workspace: Workspace, rehashes: Bool = false
  ) throws -> [StageStatus] {
    var options = RunOptions()
    options.verifies = rehashes
    let runner = try Runner(
      stages, in: workspace, options: options,
      describe: { _, _ in FailureNote(message: "", hint: nil, status: 1) })
    let log = RunLog(path: workspace.log).latest()
    func hasFailed(_ id: String) -> Bool {
      FailureNote(contentsOf: workspace.path(of: Workspace.failure(of: id))) != nil
    }
    return runner.prospects(staysFailed: hasFailed).map { plan, prospect in
      StageStatus(
        plan: plan, state: state(of: plan, prospect, in: workspace), last: log[plan.id])
    }
  }

  private static func state(
    of plan: StagePlan, _ prospect: Prospect, in workspace: Workspace
  ) -> State {
    if case .reuse = prospect { return .done }
    if let holder = StageLock.holder(of: workspace.lock(plan.id)) { return .running(holder) }
    let note = FailureNote(contentsOf: workspace.path(of: Workspace.failure(of: plan.id)))
    switch prospect {
    case .blocked(let by): return .blocked(by: by)
    case .failing(let error): return .unreadable(error)
    case .run(let reasons): return note.map { .failed($0) } ?? .stale(reasons)
    case .reuse: return .done
    }
  }
}
