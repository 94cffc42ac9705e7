/// What one check of a file found: how bad it is, what is wrong, and what to do.
package struct Finding: Sendable, Equatable {
  package enum Level: String, Sendable, Comparable {
    /// Worth knowing; nothing is wrong.
    case note
    /// Wrong or doubtful, and read all the same in the stated way.
    case warning
    /// The file is refused.
    case error

    package static func < (a: Level, b: Level) -> Bool { a.rank < b.rank }

    private var rank: Int {
      switch self {
      case .note: 0
      case .warning: 1
      case .error: 2
      }
    }
  }

  package let level: Level
  /// Name of the check, in kebab case, such as `vox-offset`.
  package let check: String
  /// What was found and what was expected, without the file's name.
  package let message: String
  /// What was done about it, or what the person can do.
  package let fix: String

  package init(_ level: Level, _ check: String, _ message: String, fix: String) {
    self.level = level
    self.check = check
    self.message = message
    self.fix = fix
  }
}

extension [Finding] {
  /// Those that refuse the file.
  package var errors: [Finding] { filter { $0.level == .error } }
}
