/// Why a stage is done, or done again.
package enum RedoReason: Equatable, Sendable {
  case neverDone
  /// The record is cut off, empty, or was changed.
  case damagedRecord
  case stageChanged(from: String, to: String)
  case versionChanged(from: Int, to: Int)
  /// Nil stands for a parameter that is not there.
  case parameterChanged(name: String, from: JSONValue?, to: JSONValue?)
  case inputChanged(name: String)
  case inputAdded(name: String)
  case inputRemoved(name: String)
  case outputMissing(path: String)
  case outputChanged(path: String)
  /// A stage whose outputs it reads is done first.
  case after(stage: String)
}

/// Whether a stage's record holds.
package enum Verdict: Equatable, Sendable {
  /// With its stamps brought up to date, where they had changed and the content had not.
  case holds(refreshed: Record?)
  case redo([RedoReason])
}
