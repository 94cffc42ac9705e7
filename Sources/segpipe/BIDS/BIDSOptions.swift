import ArgumentParser

/// Options that BIDS Apps share and that have no meaning here. Each is refused with the reason: one that is
/// taken and does nothing would be believed.
struct RefusedBIDSOptions: ParsableArguments {
  @Option(
    name: [.customShort("w"), .customLong("work-dir"), .customLong("work_dir")],
    help: .hidden)
  var work: String?

  @Option(
    name: [.customLong("random-seed"), .customLong("random_seed")],
    help: .hidden)
  var seed: String?

  @Flag(name: [.customLong("reports-only"), .customLong("reports_only")], help: .hidden)
  var onlyReports = false

  @Option(name: [.customLong("config-file"), .customLong("config_file")], help: .hidden)
  var configuration: String?

  @Flag(name: [.customLong("write-graph"), .customLong("write_graph")], help: .hidden)
  var writesGraph = false

  func validate() throws {
    let refusals = [
      (
        work != nil, "--work-dir",
        "what is kept for the next run is small, and lies in output_dir/.segpipe"
      ),
      (seed != nil, "--random-seed", "nothing is drawn at random; every run gives the same bytes"),
      (
        onlyReports, "--reports-only",
        "participant makes a scan's page with its label map, and group the page of all"
      ),
      (configuration != nil, "--config-file", "give its settings as options"),
      (writesGraph, "--write-graph", "--dry-run lists the stages"),
    ]
    for (isGiven, option, reason) in refusals where isGiven {
      throw ValidationError("\(option) is not an option of segpipe: \(reason). Leave it out.")
    }
  }
}

/// How much of the machine a BIDS App may use.
struct BIDSResourceOptions: ParsableArguments {
  @Option(
    name: [.customLong("nprocs"), .customLong("n-cpus"), .customLong("n_cpus")],
    help: ArgumentHelp("Threads of all scans together, as --threads.", valueName: "N"))
  var processors: Int?

  @Option(
    name: [.customLong("omp-nthreads"), .customLong("omp_nthreads")],
    help: ArgumentHelp(
      "Threads of one scan: as many scans at once as fit into all. Default: 2.", valueName: "N"))
  var threadsPerScan: Int?

  @Option(
    name: [.customLong("mem"), .customLong("mem-mb"), .customLong("mem_mb")],
    help: ArgumentHelp(
      "Memory that several scans at once may take: MiB, or with a unit, such as 8G. Default: what there is.",
      valueName: "amount"))
  var memory: MemoryAmount?

  func validate() throws {
    for (option, count) in [("--nprocs", processors), ("--omp-nthreads", threadsPerScan)] {
      if let count, count < 1 {
        throw ValidationError("\(option) is \(count); it must be at least 1.")
      }
    }
  }
}

/// Bytes, written as a number of MiB or with one of the units K, M, G, T.
package struct MemoryAmount: ExpressibleByArgument, Equatable {
  package let bytes: Int

  package init?(argument: String) {
    let units: [Character: Int] = ["K": 10, "M": 20, "G": 30, "T": 40]
    var digits = argument.uppercased()[...]
    if digits.hasSuffix("B") { digits.removeLast() }
    var shift = 20
    if let last = digits.last, let unit = units[last] {
      shift = unit
      digits.removeLast()
    } else if digits.count < argument.count {
      return nil
    }
    guard let number = Int(digits), number > 0, number < 1 << (62 - shift) else { return nil }
    bytes = number << shift
  }
}
