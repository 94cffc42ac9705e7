import Anatomy
import ArgumentParser

struct TrainContextCommand: ConsoleCommand {
  static let configuration = CommandConfiguration(
    commandName: "train-context",
    abstract: "Trains the network that labels voxels by what lies around them, on drawn scans.",
    discussion: """
      Draws scans of any contrast from varied label maps, fits them as segment does, and learns from what \
      the posteriors look like around a voxel how they go wrong. No scan is needed. With no arguments, it \
      works on the maps and the atlas that build-atlas left in the workspace. Checkpoints are written as it \
      goes: a run that was stopped or killed goes on when it is repeated, and ends with the same weights.

      Examples:
        segpipe train-context
        segpipe train-context labels/ --atlas atlases/head -o context
        segpipe train-context --hold-out sub-13 sub-14 sub-15
      """)

  @OptionGroup var inputs: MapTrainingOptions

  @Option(help: ArgumentHelp("Tiles that are taken of each drawn scan.", valueName: "N"))
  var tiles = ContextSettings().tiles

  @OptionGroup var common: CommonOptions

  func validate() throws {
    try OptionLimits.tiles.check("--tiles", tiles)
  }

  func perform(_ console: Console) throws {
    var settings = ContextSettings()
    settings.tiles = tiles
    try inputs.train(ContextTraining.self, settings, name: "context", console: console)
  }
}
