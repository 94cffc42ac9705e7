import Anatomy
import Files
import Pipelines

/// What participants were run with, as their output folder tells: what group goes by where it is told nothing else.
struct BIDSRecall {
  /// Of the last run.
  let atlas: (folder: String, source: AtlasChoice.Source)
  let stripped: SegmentMethodOptions.Stripped
  let posteriors: Bool
  /// Names of the scans that the last run could choose from, and of those that any run has finished.
  let scans: Set<String>

  /// Their kinds, such as T1w.
  var suffixes: [String] {
    Set(scans.compactMap { $0.split(separator: "_").last.map(String.init) }).sorted()
  }

  /// Nil where nobody has run participant yet. `pipeline` is what the runs are called in the workspace, `group` what
  /// their stages of scans are.
  init?(_ workspace: Workspace, pipeline: String, group: String) {
    guard let plan = try? PlanFile(of: workspace), plan.pipeline == pipeline else { return nil }
    let stages = plan.stages.filter { $0.item != nil && $0.group == group }
    guard let first = stages.first,
      case .outside(let folder)? = first.inputs.first(where: { $0.name == "atlas" })?.location,
      case .text(let text)? = Self.value("source", of: first),
      let source = AtlasChoice.Source(rawValue: text)
    else { return nil }
    atlas = (folder, source)
    switch Self.value("stripped", of: first) {
    case .flag(let flag)?: stripped = flag ? .yes : .no
    default: stripped = .auto
    }
    posteriors = Self.value("posteriors", of: first) == .flag(true)
    let ids = stages.map(\.id) + workspace.recorded(group)
    scans = Set(ids.map { String($0.dropFirst(group.count + 1)) })
  }

  private static func value(_ name: String, of plan: StagePlan) -> JSONValue? {
    plan.parameters.first { $0.name == name }?.value
  }
}
