import Anatomy
import ArgumentParser
import Imaging
import Reports

/// Where a training's files go, how long and how fast something is trained, and what is told on the way: options of
/// every training.
struct TrainingOptions: ParsableArguments {
  @Option(
    name: [.short, .long],
    help: ArgumentHelp(
      "Folder for checkpoints, log and weights. Default: one in the workspace.",
      valueName: "folder"))
  var output: String?

  @Option(
    help: ArgumentHelp(
      """
      Training steps, each on one label map or scan, or a part of one. Default: \(PriorSettings().steps) for \
      train-prior, \(EncoderSettings(.simulated).steps) for pretrain-encoder, \(EncoderSettings(.scans).steps) \
      for train-segmenter, \(ContextSettings().steps) for train-context.
      """, valueName: "N"))
  var steps: Int?

  @Option(
    help: """
      Highest learning rate. Default: \(PriorSettings().rate) for train-prior, \(EncoderSettings(.simulated).rate) \
      for pretrain-encoder, \(EncoderSettings(.scans).rate) for train-segmenter, \(ContextSettings().rate) for \
      train-context.
      """)
  var learningRate: Double?

  @Option(help: ArgumentHelp("Another seed gives other weights.", valueName: "number"))
  var seed: UInt64 = 1

  @Option(
    help: "How much label maps are varied: 0 not at all, 1 as usual, 2 twice as much.")
  var augmentation = 1.0

  @Option(
    help: ArgumentHelp(
      """
      Steps between two reports on whole maps or scans. Default: \(PriorSettings().evaluationInterval), and \
      \(ContextSettings().evaluationInterval) for train-context.
      """, valueName: "N"))
  var reportEvery: Int?

  @Option(
    help: ArgumentHelp(
      "Stop when this many reports in a row bring no gain.", valueName: "reports"))
  var stopOnPlateau: Int?

  @Option(
    name: .customLong("checkpoint-every"),
    help: ArgumentHelp("Steps between two checkpoints.", valueName: "N"))
  var checkpointInterval = 250

  func validate() throws {
    try OptionLimits.steps.check("--steps", steps)
    try OptionLimits.steps.check("--report-every", reportEvery)
    try OptionLimits.steps.check("--stop-on-plateau", stopOnPlateau)
    try OptionLimits.steps.check("--checkpoint-every", checkpointInterval)
    try OptionLimits.learningRate.check("--learning-rate", learningRate)
    try OptionLimits.seed.check("--seed", seed)
    try OptionLimits.augmentation.check("--augmentation", augmentation)
  }

  /// Settings with what the options say.
  func applied<Settings: TrainingSettings>(to settings: Settings) -> Settings {
    var settings = settings
    settings.steps = steps ?? settings.steps
    settings.rate = learningRate ?? settings.rate
    settings.seed = seed
    settings.augmentation = MapAugmentation.Settings(strength: augmentation)
    settings.evaluationInterval = reportEvery ?? settings.evaluationInterval
    settings.patience = stopOnPlateau
    return settings
  }
}

/// The latent's part in a loss: options of the trainings that have one.
struct LatentTrainingOptions: ParsableArguments {
  @Option(help: "Weight of the divergence from N(0, I).")
  var beta = 1.0

  @Option(help: ArgumentHelp("Samples of the latent for each step.", valueName: "L"))
  var samples = 1

  func validate() throws {
    try OptionLimits.beta.check("--beta", beta)
    try OptionLimits.samples.check("--samples", samples)
  }
}

/// What a training on label maps works on.
struct MapTrainingOptions: ParsableArguments {
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
    parsing: .upToNextOption,
    help: ArgumentHelp(
      """
      Label maps, by name, that are not trained on; reports are on them, or on scans drawn from them. The \
      atlas must not be made from them.
      """, valueName: "names"))
  var holdOut: [String] = []

  @OptionGroup var training: TrainingOptions
  @OptionGroup var reading: ReadingOptions
  @OptionGroup var outputs: OutputOptions

  /// Trains and says what came of it; `name` is that of what is trained, and of its folder in a workspace.
  func train<T: MapTraining & ReportedTraining>(
    _ type: T.Type, _ settings: T.Settings, name: String, console: Console
  ) throws {
    let place = workspace ?? AtlasChoice.commonWorkspace
    let folder = T.files(training.output ?? "\(place)/\(name)")
    let given = try LearningInputs(maps: maps, atlas: atlas, workspace: place)
    try OutputGuard.check(folder.weights, overwrite: outputs.overwrite, inputs: [])
    var work = MapTrainingWork<T>(
      given: given, settings: training.applied(to: settings), holdOut: holdOut)
    (work.reading, work.checkpointInterval) = (reading.options, training.checkpointInterval)
    try given.checkMemory(for: T.self, work.settings, available: Machine.current().memoryToBeHad)
    let progress = console.progress("training the \(name)")
    let steps = try work.perform(
      in: folder, console: console, prepared: { if outputs.overwrite { folder.clear() } },
      advance: { progress.update($0) })
    progress.finish()
    console.note("\(folder.weights): \(steps)")
  }
}
