import Anatomy
import ArgumentParser

struct PretrainEncoderCommand: ConsoleCommand {
  static let configuration = CommandConfiguration(
    commandName: "pretrain-encoder",
    abstract: "Trains an encoder of scans on drawn scans, and on scans without labels.",
    discussion: """
      A step draws a scan of any contrast from a varied label map, encodes it, and judges by the map's \
      labels what the frozen decoder of the trained prior makes of it. No scan is needed. Where there are \
      some, every second step takes one of them as an auto-encoder does: it judges by how well the mean \
      intensities of the decoded labels repeat the scan. Checkpoints are written as it goes: a run that was \
      stopped or killed goes on when it is repeated, and ends with the same weights.

      Examples:
        segpipe pretrain-encoder
        segpipe pretrain-encoder scans/
        segpipe pretrain-encoder --maps labels/ --atlas atlases/head -o encoder
      """)

  @Argument(
    help: ArgumentHelp(
      "Scans without labels, or folders that hold them. Default: none.", valueName: "scans"))
  var scans: [String] = []

  @Option(
    help: ArgumentHelp(
      "Text file of scans, one path a line; - for standard input.", valueName: "file"))
  var list: String?

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "Label maps, or folders that hold them. Default: those of the workspace's atlas.",
      valueName: "label maps"))
  var maps: [String] = []

  @OptionGroup var training: EncoderTrainingOptions
  @OptionGroup var reading: ReadingOptions
  @OptionGroup var outputs: OutputOptions
  @OptionGroup var common: CommonOptions

  /// Its folder in a workspace.
  static let folder = "encoder"

  func perform(_ console: Console) throws {
    let run = try EncoderRun(training, name: Self.folder, outputs: outputs, console: console)
    let given = try LearningInputs(
      maps: maps, atlas: run.prior.atlas.folder, workspace: run.workspace)
    let found = scans.isEmpty && list == nil ? nil : try ScanList(scans, list: list)
    try run.begin(given.atlas, maps: given, scans: found)
    let beside = try found.map {
      try run.observed($0, .scan, atlas: given.atlas, reading: reading.options)
    }
    let inputs = try EncoderTraining.Inputs.maps(
      given, holdingOut: training.holdOut, reading: reading.options, console: console,
      scans: beside ?? [])
    try run.train(training.settings(.simulated), atlas: given.atlas, inputs)
  }
}
