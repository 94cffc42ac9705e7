import Anatomy
import ArgumentParser
import Imaging

/// Which trained prior a command works with.
struct PriorOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Trained prior. Default: that of the atlas or workspace, else the built-in one.",
      valueName: "file"))
  var prior: String?

  @Option(help: ArgumentHelp("Folder of the prior's atlas.", valueName: "folder"))
  var atlas: String?

  @Option(
    help: ArgumentHelp(
      "Workspace whose prior and atlas are used if it holds both. Default: segpipe-work.",
      valueName: "folder"))
  var workspace: String?

  /// Reads the prior and says which it is.
  ///
  /// - Throws: what `PriorChoice` and `PriorModel` throw.
  func model(_ console: Console) throws -> PriorModel {
    let choice = try PriorChoice.choose(prior: prior, atlas: atlas, workspace: workspace)
    let model = try PriorModel(choice)
    console.note(
      "trained prior: \(choice.file) (\(choice.source.rawValue)), atlas: \(model.atlas.name) "
        + "(\(choice.atlas.source.rawValue))")
    return model
  }

  /// Checks that an image may be written.
  ///
  /// - Throws: `ImagingError`, `FileError`.
  func check(image output: String, overwrite: Bool, inputs: [String]) throws {
    guard ImageWriter.canWrite(output) else {
      throw ImagingError.unknownOutputFormat(path: output)
    }
    try OutputGuard.check(
      output, overwrite: overwrite, inputs: inputs + [prior].compactMap { $0 })
  }
}
