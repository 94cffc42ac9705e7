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
      "Workspace whose prior and atlas are used. Default: segpipe-work, if it holds an atlas.",
      valueName: "folder"))
  var workspace: String?

  /// Reads the prior and says which it is.
  ///
  /// - Throws: what `PriorChoice` and `PriorModel` throw.
  func model(_ console: Console) throws -> PriorModel {
    let choice = try PriorChoice.choose(prior: prior, atlas: atlas, workspace: workspace)
    let model = try PriorModel(choice)
    console.note(choice.words(for: model.atlas))
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

extension PriorChoice {
  /// Which prior it is, and which atlas, as a person is told.
  func words(for atlas: Atlas) -> String {
    "trained prior: \(file) (\(source.rawValue)), atlas: \(atlas.name) "
      + "(\(self.atlas.source.rawValue))"
  }
}
