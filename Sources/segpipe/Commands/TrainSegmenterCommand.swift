import Anatomy
import ArgumentParser

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
    try run.begin(atlas, maps: given, scans: found)
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

extension ObservedIntensities: ExpressibleByArgument {}
