import ArgumentParser
import Foundation
import Reports

/// A command whose errors become words and an exit code in one place.
protocol ConsoleCommand: ParsableCommand {
  var common: CommonOptions { get }

  /// The command's work.
  func perform(_ console: Console) throws
}

extension ConsoleCommand {
  func run() throws {
    var console = Console()
    do {
      console = try common.apply()
      try perform(console)
    } catch {
      throw Self.exit(for: error, console)
    }
  }

  /// Reports an error, and gives what ArgumentParser shall end the program with.
  private static func exit(for error: any Error, _ console: Console) -> any Error {
    console.clearBar()
    switch error {
    case is ExitCode, is CleanExit:
      return error
    case let error as ValidationError:
      // ArgumentParser would write it as text, to standard error alone, and with the usage of segpipe as a
      // whole.
      let usage = Segpipe.usageString(for: Self.self)
      let diagnosis = Diagnosis(error.message, hint: "Usage: \(usage)", status: .usage)
      console.report(diagnosis)
      return ExitCode(diagnosis.status.rawValue)
    case OutputError.readerLeft:
      // What the shell shows for a program that SIGPIPE ended.
      return ExitCode(128 + SIGPIPE)
    default:
      let diagnosis = Diagnosis(of: error)
      console.report(diagnosis)
      return ExitCode(diagnosis.status.rawValue)
    }
  }
}

extension OutputError: Diagnosable {
  var diagnosis: Diagnosis {
    switch self {
    case .readerLeft:
      Diagnosis("standard output was closed by its reader", status: .inputOutput)
    case .failed(let code):
      Diagnosis(
        "cannot write to standard output: \(String(cString: strerror(code)))",
        hint: "Check where the output goes: a full disk, or a closed stream.", status: .inputOutput)
    }
  }
}
