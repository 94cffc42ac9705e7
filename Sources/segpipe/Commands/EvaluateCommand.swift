import ArgumentParser
import Files
import Imaging
import Reports

struct EvaluateCommand: ConsoleCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate",
    abstract: "Scores label maps against references.",
    discussion: """
      For each structure: Dice; the 95th percentile of the distances between the surfaces, both \
      directions pooled, in mm; the difference in volume. Both files of a pair must lie on one grid.

      Examples:
        segpipe evaluate segmentation.nii.gz reference.nii.gz
        segpipe evaluate a.nii.gz a_ref.nii.gz b.nii.gz b_ref.nii.gz --json
        segpipe evaluate seg.nii.gz reference.nii.gz --set head29
        segpipe evaluate liver.nii.gz truth.nii.gz --labels organs.tsv -o scores.tsv

      A pair that fails does not stop the others; the exit code is the numerically highest.
      """)

  /// Fixed choices of structures.
  enum FixedSet: String, CaseIterable, ExpressibleByArgument {
    case head29
  }

  @Argument(
    help: ArgumentHelp(
      "Segmentation and reference, in turn.", valueName: "segmentation reference"))
  var files: [String]

  @Option(help: ArgumentHelp("Label table that names and merges the values.", valueName: "table"))
  var labels: String?

  @Option(
    help: """
      Structures to score: head29 are those that head segmentations by different tools share, of at \
      least 50 voxels. Default: every label of the reference.
      """)
  var set: FixedSet?

  @Flag(help: "Print JSON.")
  var json = false

  @Option(
    name: [.short, .long],
    help: ArgumentHelp("Also write a table, .tsv or .csv.", valueName: "file"))
  var output: String?

  @OptionGroup(title: "Reading label maps") var reading: ReadingOptions
  @OptionGroup var outputs: OutputOptions
  @OptionGroup var common: CommonOptions

  func validate() throws {
    if files.count % 2 != 0 {
      throw ValidationError(
        "Files go in pairs, each segmentation with its reference; \(files.count) given.")
    }
    if labels != nil && set != nil {
      throw ValidationError("--labels and --set exclude each other.")
    }
    if let output, DelimitedText(extensionOf: output) == nil {
      throw ValidationError("--output is '\(output)'; it must end in .tsv or .csv.")
    }
  }

  func perform(_ console: Console) throws {
    let table = try labels.map { try LabelTable.read($0) }
    if files.count == 2 { try files.forEach(ImageReader.checkPresence) }
    if let output, let format = DelimitedText(extensionOf: output) {
      try OutputGuard.check(
        output, overwrite: outputs.overwrite, inputs: files + [labels].compactMap { $0 },
        mark: EvaluationReport.firstLine(of: format))
    }
    let progress = console.progress("scoring")
    var failures = Failures(of: files.count / 2, "pairs", console)
    var pairs: [EvaluationReport.Pair] = []
    for place in stride(from: 0, to: files.count, by: 2) {
      do {
        pairs.append(try score(files[place], against: files[place + 1], table, console))
      } catch {
        failures.add(error)
      }
      progress.update(Double(place + 2) / Double(files.count))
    }
    progress.finish()
    if !pairs.isEmpty {
      let report = EvaluationReport(pairs: pairs)
      if let output, let format = DelimitedText(extensionOf: output) {
        try AtomicFile.write(format.encoded(report.rows), to: output)
      }
      try console.output(json ? try report.json() : report.text)
    }
    let status = failures.conclude()
    if status != 0 { throw ExitCode(status) }
  }

  private func score(
    _ segmentation: String, against reference: String, _ table: LabelTable?, _ console: Console
  ) throws -> EvaluationReport.Pair {
    func read(_ path: String) throws -> LabelImage {
      try NamedError.naming([path]) { try ImageReader.readLabels(path, reading.options) }
    }
    let (found, truth) = (try read(segmentation), try read(reference))
    for (path, findings) in [(segmentation, found.findings), (reference, truth.findings)] {
      console.show(findings, of: path)
    }
    let structures: StructureSet =
      switch set {
      case .head29: .head29
      case nil: .present(in: truth.volume, table: table)
      }
    let scores = try NamedError.naming([segmentation, reference]) {
      try LabelComparison.scores(
        segmentation: found.volume, reference: truth.volume, set: structures)
    }
    return EvaluationReport.Pair(
      segmentation: segmentation, reference: reference, scores: scores)
  }
}
