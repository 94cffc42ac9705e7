import Anatomy
import ArgumentParser
import Files
import Imaging
import Reports

struct SampleCommand: ConsoleCommand {
  static let configuration = CommandConfiguration(
    commandName: "sample",
    abstract: "Draws random anatomies from a trained prior.",
    discussion: """
      Writes sample-001.nii.gz and on, on the atlas grid, and their volumes as volumes.tsv. Latents are \
      drawn from the distribution that the encodings of the training maps follow, or from N(0, I), and \
      labels from the probabilities that each latent gives them, alike in neighbours. An anatomy that has \
      a volume outside the range of the training maps, widened by 20 %, is drawn again. A sample depends \
      on the seed and its number, not on how many are drawn.

      Examples:
        segpipe sample -n 10 -o samples/
        segpipe sample -n 100 -o samples/ --no-images --report samples.json
        segpipe sample -n 10 -o samples/ --from normal --seed 7
      """)

  @Option(
    name: [.customShort("n"), .customLong("count")],
    help: ArgumentHelp("Number of anatomies.", valueName: "N"))
  var count: Int

  @Option(
    name: [.short, .long], help: ArgumentHelp("Folder to write to.", valueName: "folder"))
  var output: String

  @Option(help: ArgumentHelp("Another seed gives other anatomies.", valueName: "number"))
  var seed: UInt64 = 1

  @Option(
    help: ArgumentHelp(
      "Where latents come from: encodings or normal. Default: encodings if the prior has them.",
      valueName: "distribution"))
  var from: LatentSource.Kind?

  @Option(
    help: ArgumentHelp(
      """
      Anatomies to draw at most until all volumes lie in the range of the training maps; 1 keeps the first. \
      Default: 10, or 1 from N(0, I).
      """, valueName: "N"))
  var draws: Int?

  @Option(
    help: ArgumentHelp(
      "Compare the anatomies with the training maps, and among each other, as JSON.",
      valueName: "file"))
  var report: String?

  @Flag(
    help: """
      Take the most probable label of every voxel instead of drawing it: smoother, but small and variable \
      structures come out too small.
      """)
  var mostProbable = false

  @Flag(help: "Write tables alone.")
  var noImages = false

  @OptionGroup var prior: PriorOptions
  @OptionGroup var outputs: OutputOptions
  @OptionGroup var common: CommonOptions

  func validate() throws {
    guard (1...100_000).contains(count) else {
      throw ValidationError("-n is \(count); it must be 1 to 100000.")
    }
    if let draws, !(1...255).contains(draws) {
      throw ValidationError("--draws is \(draws); it must be 1 to 255.")
    }
    if let report, !report.lowercased().hasSuffix(".json") {
      throw ValidationError("--report is '\(report)'; it must end in .json.")
    }
  }

  func perform(_ console: Console) throws {
    let inputs = [prior.prior].compactMap { $0 }
    var folder = try AnatomyFolder(
      output, name: "sample", count: count, images: !noImages, overwrite: outputs.overwrite,
      inputs: inputs)
    if let report {
      try OutputGuard.check(report, overwrite: outputs.overwrite, inputs: inputs)
    }
    let model = try prior.model(console)
    let source = try LatentSource(model, kind: from, seed: seed)
    let sampler = AnatomySampler(
      model, source, mostProbable: mostProbable, draws: draws ?? (source.kind == .normal ? 1 : 10))
    var statistics = SampleStatistics(model.space, training: model.file.description.volumes)
    let progress = console.progress("sampling")
    for number in 1...count {
      let sample = try sampler.sample(number)
      statistics.add(sample)
      try folder.add(sample.labels, volumes: sample.volumes, number: number, by: model)
      progress.update(Double(number) / Double(count))
    }
    try folder.finish()
    let result = statistics.report
    if let report {
      try AtomicFile.write(try SampleReportFile(result, source, of: model).encoded(), to: report)
    }
    progress.finish()
    console.note("\(output): \(SampleReportFile.sentence(of: result))")
  }
}

extension LatentSource.Kind: ExpressibleByArgument {}
