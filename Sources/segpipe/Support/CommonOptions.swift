import ArgumentParser
import Parallel

/// Options that every command has.
struct CommonOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Threads to compute with. Default: the cores that machine, control group and Slurm grant.",
      valueName: "N"))
  var threads: Int?

  @Flag(name: [.short, .long], help: "Say nothing but warnings and errors.")
  var quiet = false

  @Flag(name: [.short, .long], help: "Say more.")
  var verbose = false

  @Option(
    help: ArgumentHelp(
      "How progress is shown. Default: a bar on a terminal, else plain.", valueName: "style"))
  var progress: ProgressStyle?

  @Option(
    help: ArgumentHelp(
      "How words are written: text, or json, an object a line.", valueName: "format"))
  var logFormat = LogFormat.text

  @Option(
    help: ArgumentHelp(
      """
      Add what is said to this file too, with the time, and in the same format. It has what --quiet leaves \
      out.
      """, valueName: "file"))
  var logFile: String?

  @Option(help: ArgumentHelp("Where to compute; only cpu.", valueName: "device"))
  var device = "cpu"

  func validate() throws {
    if let threads, threads < 1 {
      throw ValidationError("--threads is \(threads); it must be at least 1.")
    }
    if device != "cpu" {
      throw ValidationError("--device is '\(device)'; segpipe computes on the cpu alone.")
    }
    if quiet && verbose { throw ValidationError("--quiet and --verbose exclude each other.") }
  }

  /// Applies them and makes the console that the command talks through.
  ///
  /// - Throws: what `LogFile` throws.
  func apply() throws -> Console {
    let console = Console(
      verbosity: quiet ? .quiet : verbose ? .detailed : .normal, progress: progress,
      format: logFormat, log: try logFile.map { try LogFile($0, format: logFormat) })
    Interruption.tell { console.say($0) }
    use(threads: threads, console)
    return console
  }

  /// Sets the threads to compute with; nil for all that there are.
  func use(threads: Int?, _ console: Console) {
    let limits = CoreLimits.current()
    // A few threads to a core are harmless and let a small machine check a large one's results.
    let most = max(16, 4 * limits.available)
    var count = threads ?? limits.threads
    if count > most {
      console.warn("--threads \(count) is too many for \(limits.available) cores; using \(most)")
      count = most
    }
    Parallel.threads = count
  }
}

/// Options of commands that write files.
struct OutputOptions: ParsableArguments {
  @Flag(help: "Replace output files that are already there.")
  var overwrite = false
}
