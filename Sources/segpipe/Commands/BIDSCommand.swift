import Anatomy
import ArgumentParser
import Foundation
import Pipelines
import Reports

struct BIDSCommand: ConsoleCommand {
  static let configuration = CommandConfiguration(
    commandName: "bids",
    abstract: "Segments the anatomical scans of a BIDS dataset, as a BIDS App.",
    discussion: """
      participant segments each scan: label map, JSON and label table under their names in BIDS \
      derivatives, volumes, and a page for each scan. group gathers volumes and verdicts of all scans, \
      and makes a page of them; it goes by the scans and options that participant was run with, unless it \
      is given its own. What is done already is reused, whoever did it: participants may run at \
      once, on any machines that share the output folder.

      Examples:
        segpipe bids dataset dataset/derivatives/segpipe participant
        segpipe bids dataset out participant --participant-label 01 02
        segpipe bids dataset out group

      Exit codes beside the usual ones: 16 the dataset is no BIDS, 17 unknown analysis level, 18 no scan \
      is left after filters.
      """,
    version: Version.current)

  static let levels = ["participant", "group"]

  @Argument(help: ArgumentHelp("Folder of the dataset.", valueName: "bids_dir"))
  var dataset: String

  @Argument(help: ArgumentHelp("Folder for derivatives.", valueName: "output_dir"))
  var output: String

  @Argument(help: ArgumentHelp("participant or group.", valueName: "analysis_level"))
  var level: String

  @Option(
    name: [.customLong("participant-label"), .customLong("participant_label")],
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "Participants to segment, with or without sub-. Default: all.", valueName: "labels"))
  var participants: [String] = []

  @Option(
    name: [.customLong("session-label"), .customLong("session_label")],
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "Sessions to segment, with or without ses-. Default: all.", valueName: "labels"))
  var sessions: [String] = []

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      """
      Kinds of images to segment, such as T1w or T2w; any contrast will do. Default: T1w, for group those of \
      participant.
      """, valueName: "suffixes"))
  var suffix: [String] = []

  @Option(
    name: [.customLong("bids-filter-file"), .customLong("bids_filter_file")],
    help: ArgumentHelp(
      """
      JSON of queries by BIDS entities, such as {"t1w": {"session": "pre"}}; in place of --suffix.
      """, valueName: "file"))
  var filterFile: String?

  @Option(help: ArgumentHelp("Folder of another atlas.", valueName: "folder"))
  var atlas: String?

  @Flag(help: "Write the probabilities of all labels too.")
  var posteriors = false

  @Option(
    help: """
      Whether everything around the structures of interest has been set to zero: yes, no, or auto to \
      find out. Default: auto.
      """)
  var stripped: SegmentMethodOptions.Stripped?

  @OptionGroup var resources: BIDSResourceOptions
  @OptionGroup var refused: RefusedBIDSOptions

  @Flag(
    name: [.customLong("skip-bids-validation"), .customLong("skip_bids_validation")],
    help: "Read datasets without a valid dataset_description.json.")
  var skipsValidation = false

  @Flag(
    name: [.customLong("stop-on-first-crash"), .customLong("stop_on_first_crash")],
    help: "Leave the other scans when one fails.")
  var stopsAtFailure = false

  @Flag(
    name: [.customLong("boilerplate-only"), .customLong("boilerplate_only")],
    help: "Print the text for a methods section, and do nothing.")
  var onlyMethods = false

  @Flag(
    name: [.customLong("dry-run"), .customLong("dry_run")],
    help: "Tell what would be done and why, and do nothing.")
  var dryRun = false

  @Flag(help: "Hash every file anew, also those that seem untouched.")
  var verify = false

  // Answered before the command line is parsed: it stands alone.
  @Flag(
    name: .customLong("bids-exec-spec"),
    help: "Print this command line as a Boutiques descriptor, and do nothing.")
  var printsDescriptor = false

  @OptionGroup var common: CommonOptions

  func validate() throws {
    if resources.processors != nil && common.threads != nil {
      throw ValidationError("--nprocs and --threads are the same; give one of them.")
    }
    if level == "group", !participants.isEmpty || !sessions.isEmpty {
      throw ValidationError(
        "--participant-label and --session-label are for participant; group gathers all scans.")
    }
    if printsDescriptor {
      throw ValidationError(
        "\(BoutiquesDescriptor.option) stands alone: segpipe bids \(BoutiquesDescriptor.option).")
    }
  }

  func perform(_ console: Console) throws {
    guard Self.levels.contains(level) else { throw BIDSError.unknownLevel(level) }
    if let processors = resources.processors { common.use(threads: processors, console) }
    let raw = try BIDSDataset(dataset, validates: !skipsValidation)
    let workspace = Workspace(output)
    let last = level == "group" ? BIDSRecall(workspace, pipeline: "bids", group: "segment") : nil
    let (folder, source) = try atlasChoice(last)
    let stripped = self.stripped ?? last?.stripped ?? .auto
    let posteriors = posteriors || last?.posteriors ?? false
    var settings = ScanSegmenter.Settings()
    settings.method.stripped = stripped == .auto ? nil : stripped == .yes
    settings.method.posteriorLevels = posteriors ? 255 : nil
    let context = StageContext(console: console)
    if onlyMethods {
      let read = try context.read(StageContext.AnatomyFiles(folder: folder))
      let identity = SegmentationSidecar.AtlasIdentity(
        read.atlas, learned: read.learned, source: source)
      let methods = Methods(
        atlas: identity, borders: BorderRules(read.atlas.prior.table), settings: settings.method,
        scans: 2)
      try console.output(methods.text)
      return
    }
    let filter = try filterFile.map { try BIDSFilter($0) }
    if let skipped = filter?.skipped, !skipped.isEmpty {
      let names = skipped.joined(separator: ", ")
      console.note("\(filterFile ?? ""): not for anatomical images: \(names)")
    }
    let suffixes = suffix.isEmpty ? last?.suffixes ?? ["T1w"] : suffix
    var scans = try raw.scans(suffixes: filter?.suffixes ?? suffixes)
      .filter { filter?.accepts($0.name) ?? true }
    if let last, filter == nil, suffix.isEmpty {
      let all = scans.count
      scans = scans.filter { last.scans.contains($0.name.stem) }
      if scans.count < all {
        console.note("scans that participant was not asked for, left out: \(all - scans.count)")
      }
    }
    let derivatives = BIDSDerivatives(
      root: output, atlas: try AtlasFiles.name(of: folder), hasPosteriors: posteriors)
    let study = StudyStages(
      context: context, name: "segment", atlas: (.outside(folder), source),
      settings: settings, tables: BIDSDerivatives.tables)
    let stages = study.stages(of: scans.map { derivatives.outputs(of: $0) })

    var options = RunOptions()
    options.shouldStop = { Interruption.signal != nil }
    (options.verifies, options.stopsAtFailure) = (verify, stopsAtFailure)
    options.gathersOnly = level == "group"
    options.keepsPlan =
      last != nil && (hasOwnMethod || !suffix.isEmpty || filterFile != nil)
    let selected = try selected(scans, suffixes, console)
    if level == "participant" { options.items = selected }
    options.inFlight = ScansInFlight.count(
      stages, memory: resources.memory?.bytes,
      threadsPerScan: resources.threadsPerScan ?? ScansInFlight.usualThreads)
    let run = PipelineRun(console: console, context: context, workspace: workspace)
    if dryRun { return try run.dryRun(stages, options: options) }
    try derivatives.describe(madeFrom: raw)
    try run.perform(stages, pipeline: "bids", options: options)
    if level == "group" {
      try run.tellUnfinished(
        stages,
        hint: hasOwnMethod ? "Give group the options that participant had, or none." : nil)
    }
  }

  /// Whether options tell how scans are segmented.
  private var hasOwnMethod: Bool { atlas != nil || stripped != nil || posteriors }

  /// The atlas given, else that of the last run of participant, else the built-in one.
  private func atlasChoice(
    _ last: BIDSRecall?
  ) throws -> (folder: String, source: AtlasChoice.Source) {
    if let atlas { return (atlas, .given) }
    if let last, last.atlas.source != .builtIn {
      guard ScanList.isFolder(last.atlas.folder) else {
        throw BIDSError.atlasIsGone(path: last.atlas.folder)
      }
      return last.atlas
    }
    return (try AtlasLocator().folder(of: "head"), .builtIn)
  }

  /// The places of the scans that the filters leave.
  ///
  /// - Throws: `BIDSError.nothingSelected`.
  private func selected(
    _ scans: [BIDSDataset.Scan], _ suffixes: [String], _ console: Console
  ) throws -> Set<Int> {
    func labels(_ given: [String], _ prefix: String) -> Set<String> {
      Set(given.map { $0.hasPrefix(prefix) ? String($0.dropFirst(prefix.count)) : $0 })
    }
    let people = labels(participants, "sub-")
    let visits = labels(sessions, "ses-")
    let chosen = scans.indices.filter { place in
      (people.isEmpty || people.contains(scans[place].participant))
        && (visits.isEmpty || visits.contains(scans[place].session ?? ""))
    }
    guard !chosen.isEmpty else {
      var filters = [
        filterFile.map { "--bids-filter-file " + $0 }
          ?? "--suffix " + suffixes.joined(separator: " ")
      ]
      for (name, labels) in [("participant", people), ("session", visits)] where !labels.isEmpty {
        filters.append("--\(name)-label " + labels.sorted().joined(separator: " "))
      }
      let stems = scans.map { $0.name.stem }
      throw BIDSError.nothingSelected(filters: filters, known: stems)
    }
    for label in people.subtracting(chosen.map { scans[$0].participant }).sorted() {
      console.warn("sub-\(label): no such scan in \(dataset)")
    }
    return Set(chosen)
  }
}
