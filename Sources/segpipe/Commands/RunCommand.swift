import ArgumentParser
import Foundation
import Pipelines
import Reports

struct RunCommand: ConsoleCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Runs a pipeline, and reuses what still holds.",
    discussion: """
      A pipeline's stages write to a workspace, and leave a record of what they read and made. The next \
      run does again only what a changed input, parameter or version concerns, and says which; a run \
      that was killed goes on where it was. Times, paths and threads play no part.

      Examples:
        segpipe run pipelines/segment-study.yaml --set scans=scans/
        segpipe run pipelines/segment-study.yaml --set scans=list.txt --dry-run
        segpipe run pipelines/segment-study.yaml --set scans=scans/ --shard 2/8

      A stage that fails stops those that need it and no others; the exit code is the numerically highest.
      """)

  @Argument(help: ArgumentHelp("Definition of a pipeline, YAML.", valueName: "definition"))
  var definition: String

  @Option(
    help: ArgumentHelp("Value of one of the definition's parameters.", valueName: "name=value"))
  var set: [String] = []

  @OptionGroup var workspace: WorkspaceOptions

  @Flag(help: "Tell what would be done and why, and do nothing.")
  var dryRun = false

  @Option(help: ArgumentHelp("Run this stage and what it needs.", valueName: "stage"))
  var until: String?

  @Option(
    help: ArgumentHelp(
      "Run this stage and what needs it; what it needs itself must be done.", valueName: "stage"))
  var from: String?

  @Flag(help: "Hash every file anew, also those that seem untouched.")
  var verify = false

  @Option(
    help: ArgumentHelp(
      "Do one of n parts of the scans; auto takes i and n from a Slurm array.", valueName: "i/n"))
  var shard: String?

  @Option(
    help: ArgumentHelp(
      "Seconds to wait for stages that another process works on.", valueName: "seconds"))
  var wait = 600

  @OptionGroup var common: CommonOptions

  func validate() throws {
    if wait < 0 { throw ValidationError("--wait is \(wait); it must be at least 0.") }
  }

  func perform(_ console: Console) throws {
    var options = RunOptions()
    options.shouldStop = { Interruption.signal != nil }
    (options.verifies, options.until, options.from) = (verify, until, from)
    options.patience = .seconds(wait)
    options.shard = try shard.map {
      try Shard($0, environment: ProcessInfo.processInfo.environment)
    }
    let definition = try Definition(definition, settings: set)
    let context = StageContext(console: console)
    let stages = try definition.stages(kinds: context.kinds, in: workspace.place)
    let run = PipelineRun(console: console, context: context, workspace: workspace.place)
    options.inFlight = ScansInFlight.count(stages)
    if dryRun {
      try run.dryRun(stages, options: options)
    } else {
      try run.perform(stages, pipeline: definition.name, options: options)
    }
  }
}
