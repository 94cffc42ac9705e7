import Reports

/// What failed of work on several things, none of which stops the others.
struct Failures {
  private let total: Int
  /// What the things are called, in the plural.
  private let name: String
  private let console: Console
  private var diagnoses: [Diagnosis] = []

  init(of total: Int, _ name: String, _ console: Console) {
    (self.total, self.name, self.console) = (total, name, console)
  }

  var count: Int { diagnoses.count }

  /// Keeps one. Where more things follow, it is told at once.
  mutating func add(_ error: any Error) {
    let diagnosis = Diagnosis(of: error)
    diagnoses.append(diagnosis)
    if total > 1 { console.report(diagnosis) }
  }

  /// Tells all of them, at the end. Returns the numerically highest of their exit codes, 0 for none.
  func conclude() -> Int32 {
    if total > 1, count > 0 {
      console.say("segpipe: \(count) of \(total) \(name) failed:")
      for diagnosis in diagnoses { console.say("  \(diagnosis.message)") }
    } else {
      for diagnosis in diagnoses { console.report(diagnosis) }
    }
    return diagnoses.map(\.status.rawValue).max() ?? 0
  }
}
