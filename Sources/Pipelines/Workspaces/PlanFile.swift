import Files
import Foundation

/// The stages of a run, kept in its workspace for those who look at it later.
package struct PlanFile: Codable, Equatable, Sendable {
  /// Name of the pipeline.
  package let pipeline: String
  package let stages: [StagePlan]

  package init(pipeline: String, stages: [StagePlan]) {
    self.pipeline = pipeline
    self.stages = stages.map(\.withAbsolutePaths)
  }

  /// - Throws: `PipelineError.noPlan`.
  package init(of workspace: Workspace) throws {
    guard let data = FileManager.default.contents(atPath: workspace.plan),
      let plan = try? JSONDecoder().decode(Self.self, from: data)
    else { throw PipelineError.noPlan(workspace: workspace.root) }
    self = plan
  }

  /// - Throws: `FileError`, an encoding error.
  func write(to workspace: Workspace) throws {
    let bytes = try JSONBytes.file(self, pretty: false)
    if let data = FileManager.default.contents(atPath: workspace.plan), [UInt8](data) == bytes {
      return
    }
    try workspace.replace(workspace.plan, with: bytes, lockedAs: ".plan")
  }
}

extension StagePlan {
  /// With every path outside the workspace from the root on.
  fileprivate var withAbsolutePaths: StagePlan {
    let folder = FileManager.default.currentDirectoryPath
    var plan = self
    plan.inputs = inputs.map { input in
      guard case .outside(let path) = input.location, !path.hasPrefix("/") else { return input }
      return StageInput(
        input.name, .outside(folder + "/" + path), isFolder: input.isFolder,
        isOptional: input.isOptional)
    }
    return plan
  }
}
