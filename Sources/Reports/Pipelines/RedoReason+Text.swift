import Pipelines

extension RedoReason {
  /// Why a stage is done, in a few words.
  package var text: String {
    switch self {
    case .neverDone: "not done yet"
    case .damagedRecord: "its record is damaged"
    case .stageChanged(let from, let to): "it was \(from), and is \(to)"
    case .versionChanged(let from, let to): "its version was \(from), and is \(to)"
    case .parameterChanged(let name, let from, let to):
      "\(name) was \(Self.text(from)), and is \(Self.text(to))"
    case .inputChanged(let name): "input \(name) has changed"
    case .inputAdded(let name): "input \(name) is new"
    case .inputRemoved(let name): "input \(name) is gone"
    case .outputMissing(let path): "output \(path) is missing"
    case .outputChanged(let path): "output \(path) is not what was written"
    case .after(let stage): "\(stage) is done first"
    }
  }

  private static func text(_ value: JSONValue?) -> String { value?.description ?? "not set" }
}

extension [RedoReason] {
  /// The first few of them.
  package var text: String {
    let shown = prefix(3).map(\.text).joined(separator: "; ")
    return count > 3 ? shown + "; and \(count - 3) more" : shown
  }
}
