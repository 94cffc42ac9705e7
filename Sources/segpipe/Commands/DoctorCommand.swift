import ArgumentParser
import Foundation
import Reports

struct DoctorCommand: ConsoleCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Tells whether this machine is fit to run segpipe, and what it will run with.",
    discussion: """
      Exits with 1 where something must be mended first.

      Examples:
        segpipe doctor
        segpipe doctor --json
      """)

  @Flag(help: "Print JSON.")
  var json = false

  @OptionGroup var common: CommonOptions

  func perform(_ console: Console) throws {
    let report = DoctorReport.current()
    try console.output(json ? try report.json() : report.text)
    if !report.isFit { throw ExitCode(ExitStatus.internalError.rawValue) }
  }
}
