import ArgumentParser
import Imaging
import Reports

struct ConformCommand: ConsoleCommand {
  static let configuration = CommandConfiguration(
    commandName: "conform",
    abstract: "Resamples a scan or label map onto the standard grid, or back.",
    discussion: """
      Goes through world coordinates; nothing is registered. Scans are interpolated linearly, label \
      maps by their resampled probabilities. The standard grid is the head's: 160x192x224 voxels of \
      1 mm, axes L-I-A, MNI305 space.

      Examples:
        segpipe conform scan.nii.gz -o conformed.nii.gz
        segpipe conform --labels labels.nii.gz -o conformed.nii.gz
        segpipe conform --labels conformed.nii.gz -o labels.nii.gz --back scan.nii.gz
      """)

  @Argument(help: ArgumentHelp("The image to read.", valueName: "input"))
  var input: String

  @Option(
    name: [.short, .long],
    help: ArgumentHelp("The image to write, .nii or .nii.gz.", valueName: "file"))
  var output: String

  @Flag(help: "The input is a label map.")
  var labels = false

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "Extents of another grid, centred on the input, axes L-I-A.", valueName: "x> <y> <z"))
  var grid: [Int] = []

  @Option(help: ArgumentHelp("Voxel size of that grid. Default: 1.", valueName: "mm"))
  var spacing: Double?

  @Option(help: ArgumentHelp("Take the grid of this image.", valueName: "file"))
  var like: String?

  @Option(
    help: ArgumentHelp(
      "Go back onto the grid of this image, and repeat its header's geometry.",
      valueName: "reference"))
  var back: String?

  @OptionGroup var reading: ReadingOptions
  @OptionGroup var outputs: OutputOptions
  @OptionGroup var common: CommonOptions

  func validate() throws {
    guard grid.isEmpty || (grid.count == 3 && grid.allSatisfy { (1...4096).contains($0) }) else {
      throw ValidationError("--grid takes three extents from 1 to 4096.")
    }
    if let spacing, !(spacing >= 0.05 && spacing <= 50) {
      throw ValidationError("--spacing is \(spacing); it must lie from 0.05 to 50 mm.")
    }
    guard spacing == nil || !grid.isEmpty else {
      throw ValidationError("--spacing needs --grid.")
    }
    guard [!grid.isEmpty, like != nil, back != nil].filter({ $0 }).count <= 1 else {
      throw ValidationError("--grid, --like and --back exclude each other.")
    }
  }

  func perform(_ console: Console) throws {
    let reference = try (back ?? like).map { try ImageReader.readHeader($0, reading.options) }
    guard ImageWriter.canWrite(output) else {
      throw ImagingError.unknownOutputFormat(path: output)
    }
    try ImageReader.checkPresence(input)
    try OutputGuard.check(
      output, overwrite: outputs.overwrite, inputs: [input] + [back, like].compactMap { $0 })
    let request = Conforming(
      grid: reference?.grid, extents: grid.isEmpty ? nil : SIMD3(grid[0], grid[1], grid[2]),
      spacing: spacing ?? 1, like: back == nil ? nil : reference,
      description: "segpipe \(Version.current) conform")
    let result = try NamedError.naming([input]) {
      try labels
        ? request.labels(input, to: output, reading.options)
        : request.scan(input, to: output, reading.options)
    }
    console.show(result, of: input)
    console.note("\(output) written")
  }
}
