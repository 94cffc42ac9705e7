import Anatomy
import ArgumentParser
import Imaging
import Reports

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

  @Argument(
    help: ArgumentHelp(
      "Label maps, or folders that hold them. Default: those of the workspace's atlas.",
      valueName: "label maps"))
  var maps: [String] = []

  @Option(help: ArgumentHelp("Workspace. Default: segpipe-work.", valueName: "folder"))
  var workspace: String?

  @Option(help: ArgumentHelp("Atlas. Default: the workspace's.", valueName: "folder"))
  var atlas: String?

  @Option(
    name: [.short, .long],
    help: ArgumentHelp(
      "Folder for checkpoints, log and weights. Default: context in the workspace.",
      valueName: "folder"))
  var output: String?

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      """
      Label maps, by name, that are not trained on; reports are on scans drawn from them. The atlas must \
      not be made from them.
      """, valueName: "names"))
  var holdOut: [String] = []

  @Option(
    help: ArgumentHelp("Training steps, a tile of a drawn scan each.", valueName: "N"))
  var steps = ContextSettings().steps

  @Option(help: ArgumentHelp("Tiles that are taken of each drawn scan.", valueName: "N"))
  var tiles = ContextSettings().tiles

  @Option(help: "Highest learning rate.")
  var learningRate = ContextSettings().rate

  @Option(help: ArgumentHelp("Another seed gives other weights.", valueName: "number"))
  var seed = ContextSettings().seed

  @Option(
    help: "How much label maps are varied: 0 not at all, 1 as usual, 2 twice as much.")
  var augmentation = 1.0

  @Option(help: ArgumentHelp("Steps between two reports on whole scans.", valueName: "N"))
  var reportEvery = ContextSettings().evaluationInterval

  @Option(
    help: ArgumentHelp(
      "Stop when this many reports in a row bring no gain.", valueName: "reports"))
  var stopOnPlateau: Int?

  @Option(
    name: .customLong("checkpoint-every"),
    help: ArgumentHelp("Steps between two checkpoints.", valueName: "N"))
  var checkpointInterval = 250

  @OptionGroup var reading: ReadingOptions
  @OptionGroup var outputs: OutputOptions
  @OptionGroup var common: CommonOptions

  func validate() throws {
    func require(_ condition: Bool, _ message: String) throws {
      if !condition { throw ValidationError(message) }
    }
    try require(steps > 0, "--steps is \(steps); it must be at least 1.")
    try require((1...10_000).contains(tiles), "--tiles is \(tiles); it must be 1 to 10000.")
    try require(
      learningRate > 0 && learningRate <= 1,
      "--learning-rate is \(learningRate); it must lie between 0 and 1.")
    try require(
      augmentation >= 0 && augmentation <= 4,
      "--augmentation is \(augmentation); it must lie from 0 to 4.")
    try require(reportEvery > 0, "--report-every is \(reportEvery); it must be at least 1.")
    try require(
      stopOnPlateau.map { $0 > 0 } ?? true, "--stop-on-plateau must be at least 1.")
    try require(
      checkpointInterval > 0, "--checkpoint-every is \(checkpointInterval); it must be at least 1.")
  }

  private var settings: ContextSettings {
    var settings = ContextSettings()
    settings.steps = steps
    settings.tiles = tiles
    settings.rate = learningRate
    settings.seed = seed
    settings.augmentation = MapAugmentation.Settings(strength: augmentation)
    settings.evaluationInterval = reportEvery
    settings.patience = stopOnPlateau
    return settings
  }

  func perform(_ console: Console) throws {
    let place = workspace ?? AtlasChoice.commonWorkspace
    let folder = TrainingFolder.context(output ?? place + "/context")
    let given = try LearningInputs(maps: maps, atlas: atlas, workspace: place)
    try OutputGuard.check(folder.weights, overwrite: outputs.overwrite, inputs: [])
    var work = ContextTrainingWork(given: given, settings: settings, holdOut: holdOut)
    (work.reading, work.checkpointInterval) = (reading.options, checkpointInterval)
    try given.checkMemory(for: settings, available: Machine.current().memoryToBeHad)
    let progress = console.progress("training the context")
    let (steps, isPlateau) = try work.perform(
      in: folder, console: console, prepared: { if outputs.overwrite { try folder.clear() } },
      advance: { progress.update($0) })
    progress.finish()
    console.note(
      "\(folder.weights): trained for \(steps) steps" + (isPlateau ? ", to a plateau" : ""))
  }
}
