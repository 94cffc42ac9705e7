import Anatomy
import Files
import Imaging
import Pipelines
import Reports

/// One scan of a study and where its results go, as paths in the workspace.
struct StudyScan {
  var job: SegmentationPlan.Job
  /// Its table of volumes.
  let volumes: String
}

/// Where a study's results on all scans go, as paths in the workspace.
struct StudyTables {
  /// A row for each scan.
  let summary: String
  /// Volumes of all scans.
  let volumes: String
  /// The study's page; nil for none.
  var page: String?
  /// What stands before a scan's name in links from that page to the scan's own.
  var pages = ""
}

/// The stages of a study: one for each scan, and one that gathers what they gave.
struct StudyStages {
  let context: StageContext
  /// Name of them all.
  let name: String
  let atlas: (location: Location, source: AtlasChoice.Source)
  let settings: ScanSegmenter.Settings
  let tables: StudyTables
  /// Files of a trained prior, of an encoder of scans and of a trained context; nil: those in the atlas's folder.
  var prior: Location?
  var encoder: Location?
  var learnedContext: Location?
  /// Raised when the same inputs and parameters give other files: results of before are then made anew.
  private static let version = 27

  /// The stages, those of scans first, in the order given.
  func stages(of scans: [StudyScan]) -> [Stage] {
    let parameters =
      Self.parameters(settings) + [StageParameter("source", .text(atlas.source.rawValue))]
    var stages = scans.enumerated().map { item, scan in
      var plan = StagePlan(
        id: id(of: scan), name: "segment", version: Self.version)
      plan.item = item
      plan.parameters =
        parameters + [
          StageParameter("pictures", .flag(scan.job.picture != nil)),
          StageParameter("pages", .flag(scan.job.report != nil)),
        ]
      if let place = scan.job.place {
        plan.parameters.append(
          StageParameter("sources", .list(place.sources.map { .text($0) })))
      }
      plan.inputs = [
        StageInput("scan", .outside(scan.job.scan)),
        StageInput("atlas", atlas.location, isFolder: true),
      ]
      for (name, file) in [
        ("prior", prior), ("encoder", encoder), ("context", learnedContext),
      ] {
        if let file { plan.inputs.append(StageInput(name, file)) }
      }
      if let voxels = ScanFiles.voxels(of: scan.job.scan) {
        plan.inputs.append(StageInput("voxels", .outside(voxels)))
      }
      plan.outputs = (scan.job.outputs + [scan.volumes]).map { StageOutput($0) }
      var stage = Stage(plan) { [self] place in try segment(scan, place) }
      stage.mayReplace = Self.isOurs
      return stage
    }
    stages.append(
      SummaryStage.stage(
        name, scans: scans, tables: tables, atlas: atlas.location, parameters: parameters))
    return stages
  }

  private func id(of scan: StudyScan) -> String { "\(name)/\(scan.job.subject)" }

  private static func parameters(_ settings: ScanSegmenter.Settings) -> [StageParameter] {
    let (method, reading) = (settings.method, settings.reading)
    return [
      StageParameter("stripped", method.stripped.map { .flag($0) } ?? .text("auto")),
      StageParameter("prior", .flag(settings.usesPrior)),
      StageParameter("latent", .flag(method.usesLatent)),
      StageParameter("context", .flag(method.usesContext)),
      StageParameter("warp", .flag(method.fitsWarp)),
      StageParameter("bias", .flag(method.fitsBias)),
      StageParameter("refine", .number(Double(method.refinements))),
      StageParameter("likelihood", .text(method.likelihood.rawValue)),
      StageParameter("samples", .number(Double(method.samples))),
      StageParameter("seed", .number(Double(method.seed))),
      StageParameter("posteriors", .flag(method.posteriorLevels != nil)),
      StageParameter("force", .flag(reading.force)),
      StageParameter("repair", .flag(reading.repair)),
    ]
  }

  /// What the parameters of such a stage say of the method, as far as words on it and memory depend on it.
  static func method(of plan: StagePlan) -> Segmenter.Settings {
    func value(_ name: String) -> JSONValue? {
      plan.parameters.first { $0.name == name }?.value
    }
    func number(_ name: String) -> Int? {
      if case .number(let number)? = value(name) { Int(number) } else { nil }
    }
    var settings = Segmenter.Settings()
    settings.fitsWarp = value("warp") != .flag(false)
    settings.fitsBias = value("bias") != .flag(false)
    settings.refinements = number("refine") ?? settings.refinements
    settings.samples = number("samples") ?? settings.samples
    if case .text(let text)? = value("likelihood") {
      settings.likelihood = EncoderSettings.Likelihood(rawValue: text) ?? settings.likelihood
    }
    return settings
  }

  private func segment(_ scan: StudyScan, _ place: Workplace) throws {
    let choice = AtlasChoice(source: atlas.source, folder: place.input("atlas") ?? "")
    let read = try context.read(
      StageContext.AnatomyFiles(
        folder: choice.folder, prior: place.input("prior"),
        encoder: place.input("encoder"), context: place.input("context")))
    let segmenter = try ScanSegmenter(
      atlas: read.atlas, learned: read.learned, choice: choice, settings: settings,
      console: context.console)
    let result = try segmenter.segment(
      scan.job.moved { place.output($0) }, advance: { context.advance(id(of: scan), $0) })
    try AtomicFile.write(result.volumes.encoded(as: .tsv), to: place.output(scan.volumes))
  }

  /// Whether a file is one that segpipe wrote: it says so, or is a table that begins as ours do.
  static func isOurs(_ path: String) -> Bool {
    let marks = [
      "segpipe", VolumesTable.firstLine(of: .tsv), StudySummary.firstLine, LabelTable.firstLine,
    ]
    return marks.contains { OutputGuard.isOurs(path, mark: $0) }
  }
}

extension SegmentationPlan.Job {
  /// The same with its outputs elsewhere.
  fileprivate func moved(_ path: (String) -> String) -> SegmentationPlan.Job {
    var job = SegmentationPlan.Job(
      scan: scan, subject: subject, labels: path(labels), posteriors: posteriors.map(path),
      entropy: entropy.map(path), picture: picture.map(path), affine: affine.map(path))
    (job.report, job.labelTable, job.place) = (report.map(path), labelTable.map(path), place)
    return job
  }
}
