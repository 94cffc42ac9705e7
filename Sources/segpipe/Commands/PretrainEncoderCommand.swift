import Anatomy
import ArgumentParser
import Foundation
import Imaging
import Reports

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
    try run.checkMemory(given.atlas, maps: given, scans: found)
    let beside = try found.map {
      try run.observed($0, .scan, atlas: given.atlas, reading: reading.options)
    }
    let inputs = try EncoderTraining.Inputs.maps(
      given, holdingOut: training.holdOut, reading: reading.options, console: console,
      scans: beside ?? [])
    try run.train(training.settings(.simulated), atlas: given.atlas, inputs)
  }
}

struct TrainSegmenterCommand: ConsoleCommand {
  static let configuration = CommandConfiguration(
    commandName: "train-segmenter",
    abstract: "Trains an encoder of scans to maximise their likelihood, without labels.",
    discussion: """
      Maximises the tempered bound E_q t log p(scan given z) - KL(q, N(0, I)) through the frozen decoder of the \
      trained prior, with t = \(ScanAnatomy.temperature) for voxels of 8 mm3, whose neighbours \
      are no independent witnesses, from the encoder that pretrain-encoder left. Scans may differ in contrast. With --maps, every \
      second step takes a scan drawn from a varied label map, and its labels are not looked at: few scans, \
      or none, are enough. Checkpoints are written as it goes: a run that was stopped or killed goes on when \
      it is repeated, and ends with the same weights.

      Examples:
        segpipe train-segmenter scans/
        segpipe train-segmenter scans/ --maps labels/
        segpipe train-segmenter scans/ --likelihood jensen --intensities data-set
      """)

  @Argument(help: ArgumentHelp("Scans, or folders that hold them.", valueName: "scans"))
  var scans: [String] = []

  @Option(
    help: ArgumentHelp(
      "Text file of scans, one path a line; - for standard input.", valueName: "file"))
  var list: String?

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "Label maps, or folders that hold them, to draw scans from.", valueName: "label maps"))
  var maps: [String] = []

  @Option(help: "Form of the likelihood: exact, or jensen, the bound below it.")
  var likelihood = EncoderSettings.Likelihood.exact

  @Option(
    help: """
      Means and deviations of tissues: scan, estimated from each scan, or data-set, estimated from all \
      scans at once, which must then share one contrast and scale.
      """)
  var intensities = ObservedIntensities.scan

  @Option(
    help: ArgumentHelp(
      """
      Take means and deviations of tissues from the sidecar of a segmentation (seg.json) instead; all scans \
      must share that scan's contrast and scale.
      """, valueName: "file"))
  var fixedIntensities: String?

  @OptionGroup var training: EncoderTrainingOptions
  @OptionGroup var reading: ReadingOptions
  @OptionGroup var outputs: OutputOptions
  @OptionGroup var common: CommonOptions

  func validate() throws {
    if fixedIntensities != nil && intensities == .dataSet {
      throw ValidationError("Give --fixed-intensities or --intensities data-set, not both.")
    }
    if scans.isEmpty && list == nil && maps.isEmpty {
      throw ValidationError("Nothing to train on: name scans, or label maps with --maps.")
    }
    if maps.isEmpty && !training.holdOut.isEmpty {
      throw ValidationError("--hold-out names label maps; give them with --maps.")
    }
  }

  func perform(_ console: Console) throws {
    var settings = training.settings(.scans)
    settings.likelihood = likelihood
    let isDrawn = scans.isEmpty && list == nil && !maps.isEmpty
    let found = isDrawn ? nil : try ScanList(scans, list: list)
    let run = try EncoderRun(training, name: "segmenter", outputs: outputs, console: console)
    let given =
      maps.isEmpty
      ? nil
      : try LearningInputs(maps: maps, atlas: run.prior.atlas.folder, workspace: run.workspace)
    let atlas = try given?.atlas ?? AtlasFiles.read(run.prior.atlas.folder)
    try run.checkMemory(atlas, maps: given, scans: found)
    let known = try fixedIntensities.map { try IntensityFile($0, for: atlas.prior.table) }
    let observed = try found.map {
      try run.observed($0, intensities, known: known, atlas: atlas, reading: reading.options)
    }
    var inputs = EncoderTraining.Inputs(scans: observed ?? [])
    if let given {
      inputs = try .maps(
        given, holdingOut: training.holdOut, reading: reading.options, console: console,
        scans: inputs.scans)
    }
    try run.train(settings, atlas: atlas, inputs)
  }
}

/// What both trainings of an encoder share.
struct EncoderRun {
  let prior: PriorChoice
  let workspace: String
  private let folder: TrainingFolder
  private let start: EncoderFile?
  private let options: EncoderTrainingOptions
  private let outputs: OutputOptions
  private let console: Console

  /// `name` is the folder in the workspace. Checks what can be checked before work begins.
  init(
    _ options: EncoderTrainingOptions, name: String, outputs: OutputOptions, console: Console
  ) throws {
    self.options = options
    self.outputs = outputs
    self.console = console
    workspace = options.prior.workspace ?? AtlasChoice.commonWorkspace
    prior = try PriorChoice.choose(
      prior: options.prior.prior, atlas: options.prior.atlas, workspace: options.prior.workspace)
    folder = .encoder(options.training.output ?? workspace + "/" + name)
    start = try Self.start(
      options.start, pretrained: .encoder(workspace + "/" + PretrainEncoderCommand.folder),
      isPretraining: name == PretrainEncoderCommand.folder, prior: prior, console)
    try OutputGuard.check(
      folder.weights, overwrite: outputs.overwrite,
      inputs: [prior.file] + [options.start].compactMap { $0 })
  }

  /// The encoder to start from: the one given; else, after pretraining, the one that it left in the
  /// workspace for this prior.
  private static func start(
    _ given: String?, pretrained: TrainingFolder, isPretraining: Bool, prior: PriorChoice,
    _ console: Console
  ) throws -> EncoderFile? {
    if let given { return try EncoderFile(given) }
    guard !isPretraining, FileManager.default.fileExists(atPath: pretrained.weights) else {
      return nil
    }
    let found = try EncoderFile(pretrained.weights)
    guard try found.description.decoder == PriorFile(prior.file).decoderDigest() else {
      console.note("\(pretrained.weights): not started from, it is of another prior")
      return nil
    }
    console.note("starts from \(pretrained.weights)")
    return found
  }

  /// Refuses what would take more memory than there is. Throws as `EncoderTraining.checkMemory`.
  func checkMemory(_ atlas: Atlas, maps: LearningInputs?, scans: ScanList?) throws {
    try EncoderTraining.checkMemory(
      through: try PriorFile(prior.file), atlas, maps: maps?.files.paths.count ?? 0,
      scans: scans?.paths.count ?? 0, available: Machine.current().memoryToBeHad)
  }

  /// Scans brought to the atlas.
  func observed(
    _ scans: ScanList, _ intensities: ObservedIntensities, known: IntensityFile? = nil,
    atlas: Atlas, reading: ReadOptions
  ) throws -> [EncoderTraining.Inputs.NamedScan] {
    let progress = console.progress("reading scans")
    defer { progress.finish() }
    return try EncoderTraining.Inputs.observed(
      scans.paths, intensities, atlas: atlas, reading: reading, console: console, known: known,
      advance: { progress.update($0) })
  }

  func train(
    _ settings: EncoderSettings, atlas: Atlas, _ inputs: EncoderTraining.Inputs
  ) throws {
    if outputs.overwrite { folder.clear() }
    let progress = console.progress("training the encoder")
    let training = EncoderTraining(
      settings, atlas: atlas, prior: try PriorFile(prior.file), start: start, inputs: inputs,
      folder: folder)
    let steps = try training.perform(
      console, checkpointInterval: options.training.checkpointInterval,
      advance: { progress.update($0) })
    progress.finish()
    console.note("\(folder.weights): \(steps)")
  }
}

/// How an encoder of scans is trained.
struct EncoderTrainingOptions: ParsableArguments {
  @OptionGroup var prior: PriorOptions

  @Option(
    help: ArgumentHelp(
      """
      Trained encoder to start from. Default: for train-segmenter that of pretrain-encoder in the workspace, \
      if there is one for this prior; else the prior's own, of label maps.
      """,
      valueName: "file"))
  var start: String?

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "Label maps, by name, that are not trained on; reports are on scans drawn from them.",
      valueName: "names"))
  var holdOut: [String] = []

  @OptionGroup var latent: LatentTrainingOptions
  @OptionGroup var training: TrainingOptions

  func settings(_ source: EncoderSettings.Source) -> EncoderSettings {
    var settings = training.applied(to: EncoderSettings(source))
    (settings.beta, settings.samples) = (latent.beta, latent.samples)
    return settings
  }
}

extension EncoderSettings.Likelihood: ExpressibleByArgument {}
extension ObservedIntensities: ExpressibleByArgument {}
