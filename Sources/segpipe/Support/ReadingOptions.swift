import ArgumentParser
import Imaging

/// How doubtful image files are read: options of every command that reads scans or label maps.
struct ReadingOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Volume of a 4-D image to read, from 0.", valueName: "k"))
  var volume: Int?

  @Option(
    help: ArgumentHelp(
      "Which of the header's geometries to believe: automatic, qform or sform.",
      valueName: "form"))
  var xform = ReadOptions.Transform.automatic

  @Option(
    help: ArgumentHelp(
      "Axis codes of files that declare no orientation, such as RAS. Default: LAS, with a warning.",
      valueName: "axes"))
  var assumeOrientation: String?

  @Flag(help: "Read ANALYZE 7.5 files, whose orientation is unknown.")
  var allowAnalyze = false

  @Flag(help: "Read images of few slices, without contrast, or of implausible voxel size.")
  var force = false

  @Flag(help: "Replace a header's broken data offset by the only one possible.")
  var repair = false

  @Option(
    help: ArgumentHelp("Largest image to read, in GiB of decoded voxels.", valueName: "GiB"))
  var maxInput = 16.0

  func validate() throws {
    if let volume, volume < 0 {
      throw ValidationError("--volume is \(volume); volumes are counted from 0.")
    }
    guard maxInput > 0, maxInput <= 1024 else {
      throw ValidationError("--max-input is \(maxInput); it must be above 0 and at most 1024.")
    }
    if let assumeOrientation, Orientation(assumeOrientation) == nil {
      throw ValidationError(
        "--assume-orientation is '\(assumeOrientation)'; it takes three letters such as RAS.")
    }
  }

  /// The same for the reader.
  var options: ReadOptions {
    var options = ReadOptions()
    options.volumeIndex = volume
    options.xform = xform
    options.assumedOrientation = assumeOrientation
    (options.allowAnalyze, options.force, options.repair) = (allowAnalyze, force, repair)
    options.maximumBytes = Int(maxInput * Double(1 << 30))
    return options
  }
}

extension ReadOptions.Transform: ExpressibleByArgument {}
