import Anatomy
import ArgumentParser
import Imaging
import Reports

struct SegmentCommand: ConsoleCommand {
  static let configuration = CommandConfiguration(
    commandName: "segment",
    abstract: "Segments scans on their own grid, whatever their contrast and orientation.",
    discussion: """
      One scan goes to one file. Several scans, a folder, or a list go to a folder, where results are \
      named after their scans: NAME_seg.nii.gz, NAME_posteriors.nii.gz, NAME_entropy.nii.gz, \
      NAME_qc.png, NAME_report.html, NAME_affine.txt; volumes of all scans go to one table. A JSON file beside each label map tells what was fitted and \
      how far to trust it.

      Examples:
        segpipe segment scan.nii.gz -o seg.nii.gz
        segpipe segment scan.nii.gz -o seg.nii.gz --volumes volumes.tsv --qc look.png
        segpipe segment scans/ -o segmentations/ --qc pictures/ --volumes all.csv
        segpipe segment --list scans.txt -o segmentations/ --posteriors posteriors/
        segpipe segment scan.nii.gz -o seg.nii.gz --samples 8 --entropy doubt.nii.gz
        segpipe segment ct.nii.gz -o seg.nii.gz --affine 0GenericAffine.mat --no-bias

      A scan that fails does not stop the others; the exit code is the numerically highest. \
      The atlas is the one given, else ./segpipe-work/atlas (or the workspace's), else the built-in head.
      """)

  @Argument(
    help: ArgumentHelp(
      "Scans, or folders of scans: NIfTI or MGH; '-' reads one from standard input.",
      valueName: "scan"))
  var scans: [String] = []

  @Option(help: ArgumentHelp("Text file of scans, one path a line.", valueName: "file"))
  var list: String?

  @Option(
    name: [.short, .long],
    help: ArgumentHelp("Label map to write, .nii or .nii.gz; or a folder.", valueName: "file"))
  var output: String

  @OptionGroup(title: "Further outputs") var further: SegmentOutputOptions
  @OptionGroup(title: "Method") var method: SegmentMethodOptions
  @OptionGroup(title: "Reading scans") var reading: ReadingOptions
  @OptionGroup var outputs: OutputOptions
  @OptionGroup var common: CommonOptions

  func validate() throws {
    if scans.isEmpty && list == nil {
      throw ValidationError("No scan given: name files or a folder, or give --list.")
    }
    if scans.filter({ $0 == "-" }).count + (list == "-" ? 1 : 0) > 1 {
      throw ValidationError("Standard input can be read once.")
    }
  }

  func perform(_ console: Console) throws {
    let found = try ScanList(scans, list: list)
    let plan = try SegmentationPlan(
      found, further.request(labels: output),
      isMany: SegmentationPlan.isMany(found, hasList: list != nil, output: output))
    if plan.jobs.count > 1 && method.affine != nil {
      throw ValidationError("--affine is for one scan; \(plan.jobs.count) are given.")
    }
    if plan.jobs.count == 1 { try ImageReader.checkPresence(plan.jobs[0].scan) }
    let settings = ScanSegmenter.Settings(
      method: method.settings(levels: further.posteriorLevels), reading: reading.options,
      usesPrior: !method.noPrior, affine: try method.matrix())
    let choice = try method.choice()
    try MemoryGuard(try method.memory(choice), reading.options)
      .checkBeforeAtlas(plan.jobs.map(\.scan))
    let (ready, refused) = try plan.check(
      overwrite: outputs.overwrite, inputs: [list, method.affine].compactMap { $0 })
    if plan.ignored > 0 { console.note("other files in folders ignored: \(plan.ignored)") }

    guard !ready.isEmpty else {
      var failures = Failures(of: refused.count, "scans", console)
      for error in refused { failures.add(error) }
      throw ExitCode(failures.conclude())
    }
    let progress = console.progress("segmenting")
    let atlas = try AtlasFiles.read(choice.folder)
    let learned = try method.learned(choice, atlas, console)
    console.note(
      "atlas: \(atlas.name) (\(choice.source.rawValue)), "
        + Self.words(for: learned, settings.method))
    let segmenter = try ScanSegmenter(
      atlas: atlas, learned: learned, choice: choice, settings: settings, console: console)
    var run = SegmentationRun(
      segmenter: segmenter, console: console, progress: progress, scans: plan.jobs.count)
    run.add(refused)
    run.segment(ready)
    if let volumes = plan.volumes { try run.write(volumes: volumes) }
    progress.finish()
    try run.conclude(isStrict: further.qcStrict)
  }

  /// What was trained that scans are read by.
  private static func words(for learned: Learned, _ settings: Segmenter.Settings) -> String {
    let prior = learned.prior != nil && settings.usesLatent
    let context = learned.context != nil && settings.usesContext
    return switch (prior, context) {
    case (true, true): "trained prior and context"
    case (true, false): "trained prior, no context"
    case (false, true): "no trained prior, trained context"
    case (false, false): "nothing trained"
    }
  }
}
