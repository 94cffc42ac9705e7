import Pipelines

/// How the stages of a workspace stand, as a table for people and for `cut`: fields separated by tabs.
package struct StatusReport {
  private let stages: [StageStatus]

  package init(_ stages: [StageStatus]) { self.stages = stages }

  /// A line for each stage of the definition, and one for each part that is not done, or each part at all.
  package func text(withParts: Bool) -> String {
    var rows = [["stage", "state", "why", "seconds", "memory"]]
    var groups: [String] = []
    for stage in stages where !groups.contains(stage.plan.group) { groups.append(stage.plan.group) }
    for group in groups {
      let parts = stages.filter { $0.plan.group == group }
      // What gathers is no scan, and has its own line where it is not done.
      let counted = parts.filter { !$0.plan.gathers }
      if parts.count > 1 { rows.append(Self.sum(group, counted)) }
      for part in parts where parts.count == 1 || withParts || !part.isDone {
        let (state, why) = part.words
        let name = part.plan.id + (part.plan.gathers ? " summary" : "")
        rows.append([name, state, why, part.seconds, part.memory])
      }
    }
    return String(decoding: DelimitedText.tsv.encoded(rows), as: UTF8.self)
  }

  private static func sum(_ group: String, _ parts: [StageStatus]) -> [String] {
    var counts: [(state: String, count: Int)] = []
    for part in parts {
      let state = part.words.state
      if let place = counts.firstIndex(where: { $0.state == state }) {
        counts[place].count += 1
      } else {
        counts.append((state, 1))
      }
    }
    let state = counts.map { "\($0.count) \($0.state)" }.joined(separator: ", ")
    let seconds = parts.compactMap { $0.last?.seconds }
    let memory = parts.compactMap { $0.last?.peakBytes }.max()
    return [
      group, state, "-",
      seconds.isEmpty ? "-" : DecimalText.fixed(seconds.reduce(0, +), 1),
      memory.map { ByteText.of($0) } ?? "-",
    ]
  }
}

extension StageStatus {
  fileprivate var isDone: Bool { if case .done = state { true } else { false } }

  fileprivate var seconds: String { last.map { DecimalText.fixed($0.seconds, 1) } ?? "-" }
  fileprivate var memory: String { last?.peakBytes.map { ByteText.of($0) } ?? "-" }

  fileprivate var words: (state: String, why: String) {
    switch state {
    case .done: ("done", "-")
    case .stale([.neverDone]): ("not done", "-")
    case .stale(let reasons): ("stale", reasons.text)
    case .running(let holder): ("running", "process \(holder.pid) on \(holder.host)")
    case .failed(let note): ("failed", note.message)
    case .blocked(let by): ("blocked", "\(by) is not done")
    case .unreadable(let error): ("blocked", Diagnosis(of: error).message)
    }
  }
}
