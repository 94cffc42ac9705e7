/// How a stage ended.
package enum Outcome {
  case reused
  case done(seconds: Double, peakBytes: Int?)
  case failed(any Error)
  /// What a stage that it needs did not give.
  case blocked(by: String)

  /// Whether what it makes is there and as it should be.
  var isGood: Bool {
    switch self {
    case .reused, .done: true
    case .failed, .blocked: false
    }
  }
}

/// What is told while stages run.
package enum RunEvent {
  case starting(StagePlan, [RedoReason])
  case ended(StagePlan, Outcome)
  /// Another process works on it.
  case waiting(StagePlan, LockHolder?)
  /// A dead process's lock was taken over.
  case tookOver(StagePlan, LockHolder)
}

/// What would be done with a stage.
package enum Prospect {
  case run([RedoReason])
  case reuse
  case blocked(by: String)
  /// An input cannot be read.
  case failing(any Error)
}

/// Which stages, and how.
package struct RunOptions: Sendable {
  /// Hash every file, whatever its stamp says.
  package var verifies = false
  /// The last stage of the definition that is run, and what it needs.
  package var until: String?
  /// The first one: what it needs is taken as it is.
  package var from: String?
  package var shard: Shard?
  /// Of stages that can be shared out, those at these places, and what they need; nil for all.
  package var items: Set<Int>?
  /// Only stages that gather what others made.
  package var gathersOnly = false
  /// Whether the plan that is in the workspace stays: a look by other settings is not what its stages were run by.
  package var keepsPlan = false
  /// How many of the stages that can be shared out may be worked on at once.
  package var inFlight = 1
  /// Whether nothing more is begun once a stage has failed.
  package var stopsAtFailure = false
  /// Asked after a stage has failed: whether nothing more is begun, because the program shall stop.
  package var shouldStop: @Sendable () -> Bool = { false }
  /// How long to wait for stages that another process works on.
  package var patience: Duration = .seconds(600)

  package init() {}
}
