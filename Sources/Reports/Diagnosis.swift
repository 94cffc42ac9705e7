/// Exit codes, as the BIDS execution specification and sysexits.h number them.
package enum ExitStatus: Int32, Sendable, CaseIterable {
  case success = 0
  case internalError = 1
  case invalidBIDS = 16
  case unknownAnalysisLevel = 17
  case nothingSelected = 18
  case usage = 64
  case badData = 65
  case noInput = 66
  case cannotCreate = 73
  case inputOutput = 74
  case temporary = 75
  case interrupted = 130
  case terminated = 143

  /// What a person is told that the code means.
  package var meaning: String {
    switch self {
    case .success: "success"
    case .internalError: "internal error"
    case .invalidBIDS: "the dataset is no BIDS"
    case .unknownAnalysisLevel: "unknown analysis level"
    case .nothingSelected: "no scan is left after filters"
    case .usage: "the command line is wrong"
    case .badData: "a file is not what it should be"
    case .noInput: "a file is not there or cannot be opened"
    case .cannotCreate: "the output cannot be created, or is not ours to replace"
    case .inputOutput: "reading or writing failed"
    case .temporary: "temporary failure, such as too little memory"
    case .interrupted: "interrupted"
    case .terminated: "terminated"
    }
  }
}

/// What a person is told about an error: what happened, what to do, and the exit code.
package struct Diagnosis: Equatable, Sendable {
  /// One sentence or two: the file, what was found, what was expected.
  package let message: String
  /// What to do about it.
  package let hint: String?
  package let status: ExitStatus

  package init(_ message: String, hint: String? = nil, status: ExitStatus) {
    self.message = message
    self.hint = hint
    self.status = status
  }

  /// The words for any error. An error of no known layer is an internal one.
  package init(of error: any Error) {
    if let known = error as? any Diagnosable {
      self = known.diagnosis
    } else {
      self.init(
        "internal error: \(error)",
        hint: "This is a defect of segpipe; please report it with the command line.",
        status: .internalError)
    }
  }
}

/// An error with words. Each layer's errors get theirs in this target, in `Diagnosis+LAYER.swift`.
package protocol Diagnosable: Error {
  var diagnosis: Diagnosis { get }
}
