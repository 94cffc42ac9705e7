import Anatomy
import ArgumentParser
import Imaging
import Reports

struct TrainPriorCommand: ConsoleCommand {
  static let configuration = CommandConfiguration(
    commandName: "train-prior",
    abstract: "Trains the auto-encoder that learns how anatomy varies, from label maps.",
    discussion: """
      With no arguments, trains on the maps and the atlas that build-atlas left in the workspace. \
      Checkpoints are written as it goes: a run that was stopped or killed goes on when it is repeated, \
      and ends with the same weights.

      Examples:
        segpipe train-prior
        segpipe train-prior labels/ --atlas atlases/head -o prior
        segpipe train-prior --hold-out sub-13 sub-14 sub-15 --stop-on-plateau 8
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
      "Folder for checkpoints, log and weights. Default: prior in the workspace.",
      valueName: "folder"))
  var output: String?

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      """
      Label maps, by name, that are not trained on; reports are on them. The atlas must not be made \
      from them.
      """, valueName: "names"))
  var holdOut: [String] = []

  @OptionGroup var training: PriorTrainingOptions
  @OptionGroup var reading: ReadingOptions
  @OptionGroup var outputs: OutputOptions
  @OptionGroup var common: CommonOptions

  func perform(_ console: Console) throws {
    let place = workspace ?? AtlasChoice.commonWorkspace
    let folder = TrainingFolder.prior(output ?? place + "/prior")
    let given = try LearningInputs(maps: maps, atlas: atlas, workspace: place)
    try OutputGuard.check(folder.weights, overwrite: outputs.overwrite, inputs: [])
    var work = PriorTrainingWork(given: given, settings: training.settings, holdOut: holdOut)
    (work.reading, work.checkpointInterval) = (reading.options, training.checkpointInterval)
    try given.checkMemory(for: training.settings, available: Machine.current().memoryToBeHad)
    let progress = console.progress("training the prior")
    let (steps, isPlateau) = try work.perform(
      in: folder, console: console, prepared: { if outputs.overwrite { try folder.clear() } },
      advance: { progress.update($0) })
    progress.finish()
    console.note(
      "\(folder.weights): trained for \(steps) steps" + (isPlateau ? ", to a plateau" : ""))
  }
}

/// How the prior auto-encoder is built and trained.
struct PriorTrainingOptions: ParsableArguments {
  @Option(help: "Network: default (warps the location prior) or R1 (logits for every voxel).")
  var architecture = PriorSettings.Architecture.warping

  @Option(
    help: ArgumentHelp(
      """
      Latent dimensions: of each cell of 16 voxels along an axis, or, for R1, of all. Default: \
      \(PriorSettings().latentSize), and \(PriorSettings(architecture: .r1).latentSize) for R1.
      """, valueName: "N"))
  var latentSize: Int?

  @Option(help: "Weight of the divergence from N(0, I).")
  var beta = PriorSettings().beta

  @Option(help: ArgumentHelp("Training steps, a label map each.", valueName: "N"))
  var steps = PriorSettings().steps

  @Option(help: "Highest learning rate.")
  var learningRate = PriorSettings().rate

  @Option(help: ArgumentHelp("Samples of the latent for each step.", valueName: "L"))
  var samples = PriorSettings().samples

  @Option(help: ArgumentHelp("Another seed gives other weights.", valueName: "number"))
  var seed = PriorSettings().seed

  @Option(
    help: "How much label maps are varied: 0 not at all, 1 as usual, 2 twice as much.")
  var augmentation = 1.0

  @Option(help: ArgumentHelp("Steps between two reports on whole maps.", valueName: "N"))
  var reportEvery = PriorSettings().evaluationInterval

  @Option(
    help: ArgumentHelp(
      "Stop when this many reports in a row bring no gain.", valueName: "reports"))
  var stopOnPlateau: Int?

  @Option(
    name: .customLong("checkpoint-every"),
    help: ArgumentHelp("Steps between two checkpoints.", valueName: "N"))
  var checkpointInterval = 250

  func validate() throws {
    func require(_ condition: Bool, _ message: String) throws {
      if !condition { throw ValidationError(message) }
    }
    try require(
      latentSize.map { (1...4096).contains($0) } ?? true, "--latent-size must be 1 to 4096.")
    try require(beta >= 0 && beta.isFinite, "--beta is \(beta); it must be at least 0.")
    try require(steps > 0, "--steps is \(steps); it must be at least 1.")
    try require(
      learningRate > 0 && learningRate <= 1,
      "--learning-rate is \(learningRate); it must lie between 0 and 1.")
    try require((1...64).contains(samples), "--samples is \(samples); it must be 1 to 64.")
    try require(
      augmentation >= 0 && augmentation <= 4,
      "--augmentation is \(augmentation); it must lie from 0 to 4.")
    try require(reportEvery > 0, "--report-every is \(reportEvery); it must be at least 1.")
    try require(
      stopOnPlateau.map { $0 > 0 } ?? true, "--stop-on-plateau must be at least 1.")
    try require(
      checkpointInterval > 0, "--checkpoint-every is \(checkpointInterval); it must be at least 1.")
  }

  var settings: PriorSettings {
    var settings = PriorSettings(architecture: architecture)
    settings.latentSize = latentSize ?? settings.latentSize
    settings.beta = beta
    settings.steps = steps
    settings.rate = learningRate
    settings.samples = samples
    settings.seed = seed
    settings.augmentation = MapAugmentation.Settings(strength: augmentation)
    settings.evaluationInterval = reportEvery
    settings.patience = stopOnPlateau
    return settings
  }
}

extension PriorSettings.Architecture: ExpressibleByArgument {}
