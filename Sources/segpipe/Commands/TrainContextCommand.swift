import Anatomy
import ArgumentParser

struct TrainContextCommand: ConsoleCommand {
  static let configuration = CommandConfiguration(
    commandName: "train-context",
    abstract: "Trains the network that labels voxels by what lies around them, on drawn scans.",
    discussion: """
      Draws scans of any contrast from varied label maps, fits them as segment does, and learns from what \
      the posteriors look like around a voxel how they go wrong. No scan is needed. Where there is a trained \
      prior, every second scan is read by it. With no arguments, it works on the maps and the atlas that \
      build-atlas left in the workspace. Checkpoints are written as it \
      goes: a run that was stopped or killed goes on when it is repeated, and ends with the same weights.

      Examples:
        segpipe train-context
        segpipe train-context labels/ --atlas atlases/head -o context
        segpipe train-context --hold-out sub-13 sub-14 sub-15
      """)

  @OptionGroup var inputs: MapTrainingOptions

  @Option(help: ArgumentHelp("Tiles that are taken of each drawn scan.", valueName: "N"))
  var tiles = ContextSettings().tiles

  @Option(
    help: ArgumentHelp(
      "Trained prior that every second scan is read by. Default: that of the atlas or workspace.",
      valueName: "file"))
  var prior: String?

  @Option(
    help: ArgumentHelp(
      "Trained encoder of scans. Default: that of the atlas or workspace.", valueName: "file"))
  var encoder: String?

  @Flag(help: "Read no scan by a trained prior.")
  var noPrior = false

  @OptionGroup var common: CommonOptions

  func validate() throws {
    guard (1...10_000).contains(tiles) else {
      throw ValidationError("--tiles is \(tiles); it must be 1 to 10000.")
    }
    if noPrior, prior != nil || encoder != nil {
      throw ValidationError("--no-prior excludes --prior and --encoder.")
    }
  }

  func perform(_ console: Console) throws {
    var settings = ContextSettings()
    settings.tiles = tiles
    let choice =
      noPrior
      ? nil : LearnedChoice.choose(prior: prior, encoder: encoder, atlas: inputs.atlasChoice)
    if let choice { console.note("scans are read by \(choice.prior), every second one") }
    try inputs.train(ContextTraining.self, settings, name: "context", console: console) {
      $0.learned = try choice?.readLatent(for: $0.atlas)
    }
  }
}
