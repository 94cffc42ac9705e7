import ArgumentParser
import Pipelines
import Reports

struct CollectCommand: ConsoleCommand {
  static let configuration = CommandConfiguration(
    commandName: "collect",
    abstract: "Puts together what the shards of a pipeline have done.",
    discussion: """
      Writes the tables of a study whose scans were shared out with run --shard: the same bytes that a \
      single run writes. Scans that failed are listed, and the exit code is the numerically highest; \
      75 where shards are not done.

      Examples:
        segpipe collect
        segpipe collect --workspace study
      """)

  @OptionGroup var workspace: WorkspaceOptions
  @OptionGroup var common: CommonOptions

  func perform(_ console: Console) throws {
    let workspace = workspace.place
    let plan = try PlanFile(of: workspace)
    let stages = plan.stages.map { plan in
      plan.name == SummaryStage.name ? SummaryStage.stage(plan) : Stage(plan) { _ in }
    }
    var options = RunOptions()
    options.gathersOnly = true
    let run = PipelineRun(
      console: console, context: StageContext(console: console), workspace: workspace)
    try run.perform(stages, pipeline: plan.pipeline, options: options)
    try run.tellUnfinished(stages)
  }
}
