import Anatomy
import ArgumentParser
import Pipelines

/// Where a pipeline's files are.
struct WorkspaceOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Folder of the pipeline's files.", valueName: "folder"))
  var workspace = AtlasChoice.commonWorkspace

  var place: Workspace { Workspace(workspace) }

  func validate() throws {
    if workspace.isEmpty { throw ValidationError("--workspace is empty; name a folder.") }
  }
}
