import Anatomy
import Pipelines

/// `kind: segment`, label maps of scans: a stage for each scan, and one that gathers their volumes and
/// verdicts. `prior`, `encoder` and `context` name trained weights in place of those in the atlas's folder.
/// Everything lies in the folder `NAME`, which is `${NAME.labels}`:
///
///     NAME/SCAN_seg.nii.gz, .json       label map, and what was fitted
///     NAME/volumes/SCAN.tsv             its volumes
///     NAME/pictures/SCAN_qc.png         where pictures are asked for
///     NAME/reports/SCAN.html            where reports are
///     NAME/posteriors/                  where posteriors are
///     NAME/summary.tsv, volumes.tsv     tables of all scans
///     NAME/summary.html                 a page of all scans, where reports are asked for
struct SegmentStage {
  let context: StageContext

  var kind: StageKind {
    StageKind(
      "segment",
      keys: [
        .init("scans", .paths, isRequired: true), .init("atlas", .path),
        .init("pictures", .flag), .init("reports", .flag), .init("posteriors", .flag),
        .init("stripped", .choice(["auto", "yes", "no"])), .init("warp", .flag),
        .init("prior", .path), .init("encoder", .path), .init("context", .path),
        .init("no-prior", .flag), .init("no-latent", .flag), .init("no-context", .flag),
        .init("bias", .flag), .init("force", .flag), .init("repair", .flag),
        .init("refine", .integer(OptionLimits.refinements)),
        .init("samples", .integer(OptionLimits.samples)),
        .init("likelihood", .choice(EncoderSettings.Likelihood.allCases.map(\.rawValue))),
        .init("seed", .integer(OptionLimits.seed)),
      ],
      expand: expand)
  }

  private func expand(_ request: StageRequest) throws -> StageExpansion {
    let scans = try ScanInputs(request).named
    var settings = ScanSegmenter.Settings()
    settings.method.stripped = ["yes": true, "no": false][request.text("stripped") ?? "auto"]
    settings.usesPrior = !(request.flag("no-prior") ?? false)
    settings.method.usesLatent = !(request.flag("no-latent") ?? false)
    settings.method.usesContext = !(request.flag("no-context") ?? false)
    let learned = ["prior", "encoder", "context"].map { request.place($0) }
    guard settings.usesPrior || learned.allSatisfy({ $0 == nil }) else {
      throw StageKeyError(
        stage: request.name, key: "no-prior",
        expected: "no where prior, encoder or context is given")
    }
    settings.method.fitsWarp = request.flag("warp") ?? true
    settings.method.fitsBias = request.flag("bias") ?? true
    settings.method.refinements = request.integer("refine") ?? settings.method.refinements
    settings.method.samples = request.integer("samples") ?? settings.method.samples
    settings.method.seed = request.integer("seed").map { UInt64($0) } ?? settings.method.seed
    settings.method.likelihood =
      request.text("likelihood").flatMap(EncoderSettings.Likelihood.init)
      ?? settings.method.likelihood
    let hasLatent = settings.usesPrior && settings.method.usesLatent
    guard hasLatent || settings.method.samples == 1 else {
      throw StageKeyError(
        stage: request.name, key: "samples", expected: "1 where no-prior or no-latent is yes")
    }
    settings.method.posteriorLevels = request.flag("posteriors") == true ? 255 : nil
    settings.reading.force = request.flag("force") ?? false
    settings.reading.repair = request.flag("repair") ?? false
    let folder = request.name
    let hasReports = request.flag("reports") ?? true
    var study = StudyStages(
      context: context, name: folder, atlas: try Self.atlas(request), settings: settings,
      tables: StudyTables(
        summary: "\(folder)/summary.tsv", volumes: "\(folder)/volumes.tsv",
        page: hasReports ? "\(folder)/summary.html" : nil, pages: "reports/"))
    (study.prior, study.encoder, study.learnedContext) = (learned[0], learned[1], learned[2])
    let stages = study.stages(
      of: scans.map { subject, path in
        var job = SegmentationPlan.Job(
          scan: path, subject: subject, labels: "\(folder)/\(subject)_seg.nii.gz")
        if request.flag("posteriors") == true {
          job.posteriors = "\(folder)/posteriors/\(subject)_posteriors.nii.gz"
        }
        if request.flag("pictures") ?? true {
          job.picture = "\(folder)/pictures/\(subject)_qc.png"
        }
        if hasReports { job.report = "\(folder)/reports/\(subject).html" }
        return StudyScan(job: job, volumes: "\(folder)/volumes/\(subject).tsv")
      })
    return StageExpansion(stages, results: ["labels": .workspace(folder)])
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
}
