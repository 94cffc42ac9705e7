import Anatomy
import ArgumentParser
import Files
import Foundation
import Networks

struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Times what takes long, and measures what each part of the method is worth.",
    discussion: """
      Examples:
        segpipe bench prior-step --steps 5
        segpipe bench decode --threads 2 --json
        segpipe bench accuracy scan.nii.gz reference.nii.gz
        segpipe bench encoder scan.nii.gz
      """,
    subcommands: [
      PriorStepCommand.self, DecodeCommand.self, AccuracyCommand.self, EncoderCommand.self,
    ])

  struct PriorStepCommand: ConsoleCommand {
    static let configuration = CommandConfiguration(
      commandName: "prior-step", abstract: "Times a training step of the prior auto-encoder.",
      discussion: """
        Examples:
          segpipe bench prior-step --steps 5
          segpipe bench prior-step --architecture default --atlas head
        """)

    @OptionGroup var options: BenchOptions
    @OptionGroup var common: CommonOptions

    func perform(_ console: Console) throws {
      try console.output(options.text(options.trainingStep()))
    }
  }

  struct DecodeCommand: ConsoleCommand {
    static let configuration = CommandConfiguration(
      commandName: "decode",
      abstract: "Times the decoder: most probable label and log-normaliser at every voxel.",
      discussion: """
        Examples:
          segpipe bench decode
          segpipe bench decode --threads 2 --json
        """)

    @OptionGroup var options: BenchOptions
    @OptionGroup var common: CommonOptions

    func perform(_ console: Console) throws {
      try console.output(options.text(options.decoding()))
    }
  }
}

/// What to time, and how the result is printed.
struct BenchOptions: ParsableArguments {
  /// Networks that can be timed.
  enum Architecture: String, ExpressibleByArgument {
    /// Five levels of convolutions, a dense prior.
    case r1 = "R1"
    /// What train-prior trains unless told otherwise.
    case standard = "default"
  }

  @Option(help: "Network to time.")
  var architecture = Architecture.r1

  @Option(
    help: ArgumentHelp(
      "Atlas for the default network: the name of a built-in one, or a folder.",
      valueName: "atlas"))
  var atlas = "head"

  @Option(help: ArgumentHelp("Number of labels of R1.", valueName: "K"))
  var labels = 32

  @Option(
    parsing: .upToNextOption,
    help: "Extents of R1's grid: three multiples of 32, the last the fastest in memory.")
  var grid = [160, 192, 224]

  @Option(help: ArgumentHelp("Runs to time, after one that is not.", valueName: "N"))
  var steps = 5

  @Option(
    help: ArgumentHelp(
      "A safetensors file of R1's weights, labels, log_prior and epsilon to start from.",
      valueName: "file"))
  var from: String?

  @Flag(help: "Print JSON.")
  var json = false

  func validate() throws {
    guard (1...255).contains(labels) else {
      throw ValidationError("--labels is \(labels); it must be 1 to 255.")
    }
    let extents = 32...OptionLimits.extent.upperBound
    guard grid.count == 3, grid.allSatisfy({ extents.contains($0) && $0 % 32 == 0 }) else {
      throw ValidationError(
        "--grid is \(grid); it must be three multiples of 32, at most \(extents.upperBound).")
    }
    try OptionLimits.steps.check("--steps", steps)
  }

  func trainingStep() throws -> Benchmark.Result {
    let bench = Benchmark(steps: steps)
    guard architecture == .standard else { return try bench.trainingStep(r1) }
    let prior = try readPrior()
    return try bench.trainingStep(
      try PriorSettings().shape(for: prior), prior: prior.bytes,
      labels: prior.mostProbableChannels())
  }

  func decoding() throws -> Benchmark.Result {
    let bench = Benchmark(steps: steps)
    guard architecture == .standard else { return try bench.decoding(r1) }
    let prior = try readPrior()
    return try bench.decoding(try PriorSettings().shape(for: prior), prior: prior.bytes)
  }

  private var r1: Benchmark.R1 {
    Benchmark.R1(labels: labels, extents: Extents(grid[0], grid[1], grid[2]), file: from)
  }

  private func readPrior() throws -> LocationPrior {
    let isFolder = atlas.contains("/") || FileManager.default.fileExists(atPath: atlas)
    let folder = isFolder ? atlas : try AtlasLocator().folder(of: atlas)
    return try AtlasFiles.read(folder).prior
  }

  /// The result as JSON or in one line.
  func text(_ result: Benchmark.Result) throws -> String {
    json ? try JSONBytes.text(result, pretty: true) : result.description
  }
}
