import ArgumentParser
import Pipelines
import Reports

struct StatusCommand: ConsoleCommand {
  static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "Tells how the stages of a pipeline stand.",
    discussion: """
      A line for each stage of the definition, and one for each part of it that is not done (with -v \
      for every part): what it is, how it stands, why, the seconds it took and the most memory.

      Examples:
        segpipe status
        segpipe status --workspace study -v
      """)

  @OptionGroup var workspace: WorkspaceOptions

  @Flag(help: "Hash every file anew, also those that seem untouched.")
  var verify = false

  @OptionGroup var common: CommonOptions

  func perform(_ console: Console) throws {
    let stages = try StageStatus.all(in: workspace.place, rehashes: verify)
    let report = StatusReport(stages)
    try console.output(report.text(withParts: console.verbosity == .detailed))
  }
}
