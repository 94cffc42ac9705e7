import Anatomy
import Files
import Imaging
import Pipelines
import Reports

/// `kind: segment`, label maps of scans: a stage for each scan, and one that gathers their volumes and
/// verdicts. Everything lies in the folder `NAME`, which is `${NAME.labels}`.
struct SegmentStage {
  let context: StageContext
  private static let version = 1

  var kind: StageKind {
    StageKind(
      "segment",
      keys: [
        .init("scans", .paths, isRequired: true), .init("atlas", .path),
        .init("pictures", .flag), .init("posteriors", .flag),
        .init("stripped", .choice(["auto", "yes", "no"])), .init("warp", .flag),
        .init("bias", .flag), .init("force", .flag), .init("repair", .flag),
      ],
      expand: expand)
  }

  private func expand(_ request: StageRequest) throws -> StageExpansion {
    let scans = try Self.scans(request)
    var settings = ScanSegmenter.Settings()
    settings.method.stripped = ["yes": true, "no": false][request.text("stripped") ?? "auto"]
    settings.method.fitsWarp = request.flag("warp") ?? true
    settings.method.fitsBias = request.flag("bias") ?? true
    settings.method.posteriorLevels = request.flag("posteriors") == true ? 255 : nil
    settings.reading.force = request.flag("force") ?? false
    settings.reading.repair = request.flag("repair") ?? false
    let atlas = try Self.atlas(request)
    let hasPictures = request.flag("pictures") ?? true
    let parameters =
      Self.parameters(settings) + [
        StageParameter("pictures", .flag(hasPictures)),
        StageParameter("source", .text(atlas.source.rawValue)),
      ]
    let files = SegmentFiles(folder: request.name)
    var stages: [Stage] = []
    for (item, scan) in scans.enumerated() {
      var plan = StagePlan(
        id: "\(request.name)/\(scan.subject)", name: "segment", version: Self.version)
      plan.item = item
      plan.parameters = parameters
      plan.inputs = [
        StageInput("scan", .outside(scan.path)),
        StageInput("atlas", atlas.location, isFolder: true),
      ]
      if let voxels = ScanFiles.voxels(of: scan.path) {
        plan.inputs.append(StageInput("voxels", .outside(voxels)))
      }
      let job = files.job(
        scan, pictures: hasPictures, posteriors: settings.method.posteriorLevels != nil)
      plan.outputs =
        (job.outputs + [files.volumes(of: scan.subject)]).map { StageOutput($0) }
      var stage = Stage(plan) { [context] place in
        try Self.segment(job, files, settings, atlas.source, place, context)
      }
      stage.mayReplace = { OutputGuard.isOurs($0) }
      stages.append(stage)
    }
    stages.append(SummaryStage.stage(files, subjects: scans.map(\.subject)))
    return StageExpansion(stages, results: ["labels": .workspace(request.name)])
  }

  /// The scans by name: the order in which they were given is no part of what is asked.
  private static func scans(
    _ request: StageRequest
  ) throws -> [(subject: String, path: String)] {
    let given = request.places("scans").map { request.workspace.path(of: $0) }
    var paths: [String] = []
    for path in given {
      let isList = [".txt", ".list"].contains { path.lowercased().hasSuffix($0) }
      paths += try isList ? ScanList([], list: path).paths : ScanList([path], list: nil).paths
    }
    return paths.map { (ScanList.name(of: $0), $0) }.sorted { ($0.0, $0.1) < ($1.0, $1.1) }
  }

  private static func atlas(
    _ request: StageRequest
  ) throws -> (location: Location, source: AtlasChoice.Source) {
    switch request.place("atlas") {
    case .workspace(let path)?: (.workspace(path), .workspace)
    case .outside(let path)?: (.outside(path), .given)
    case nil: (.outside(try AtlasLocator().folder(of: "head")), .builtIn)
    }
  }

  private static func parameters(_ settings: ScanSegmenter.Settings) -> [StageParameter] {
    let (method, reading) = (settings.method, settings.reading)
    return [
      StageParameter("stripped", method.stripped.map { .flag($0) } ?? .text("auto")),
      StageParameter("warp", .flag(method.fitsWarp)),
      StageParameter("bias", .flag(method.fitsBias)),
      StageParameter("posteriors", .flag(method.posteriorLevels != nil)),
      StageParameter("force", .flag(reading.force)),
      StageParameter("repair", .flag(reading.repair)),
    ]
  }

  private static func segment(
    _ job: SegmentationPlan.Job, _ files: SegmentFiles, _ settings: ScanSegmenter.Settings,
    _ source: AtlasChoice.Source, _ place: Workplace, _ context: StageContext
  ) throws {
    let atlas = try context.atlas(in: place.input("atlas") ?? "")
    let segmenter = try ScanSegmenter(
      atlas: atlas, source: source, settings: settings, console: context.console)
    let result = try segmenter.segment(
      job.moved { place.output($0) }, advance: { context.advance($0) })
    try AtomicFile.write(
      result.volumes.encoded(as: .tsv), to: place.output(files.volumes(of: job.subject)))
  }
}

/// Where the results of a study lie, as paths in its workspace.
struct SegmentFiles {
  let folder: String

  func job(
    _ scan: (subject: String, path: String), pictures: Bool, posteriors: Bool
  ) -> SegmentationPlan.Job {
    SegmentationPlan.Job(
      scan: scan.path, subject: scan.subject, labels: "\(folder)/\(scan.subject)_seg.nii.gz",
      posteriors: posteriors ? "\(folder)/posteriors/\(scan.subject)_posteriors.nii.gz" : nil,
      picture: pictures ? "\(folder)/pictures/\(scan.subject)_qc.png" : nil)
  }

  func sidecar(of subject: String) -> String { "\(folder)/\(subject)_seg.json" }
  func volumes(of subject: String) -> String { "\(folder)/volumes/\(subject).tsv" }
  /// Volumes of all scans.
  var volumes: String { "\(folder)/volumes.tsv" }
  /// A row for each scan.
  var summary: String { "\(folder)/summary.tsv" }
}

extension SegmentationPlan.Job {
  /// The same with its outputs elsewhere.
  fileprivate func moved(_ path: (String) -> String) -> SegmentationPlan.Job {
    SegmentationPlan.Job(
      scan: scan, subject: subject, labels: path(labels), posteriors: posteriors.map(path),
      picture: picture.map(path), affine: affine.map(path))
  }
}
