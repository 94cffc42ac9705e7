import Anatomy
import ArgumentParser
import Files
import Imaging
import Reports

/// Segments scans one after the other with one atlas, and keeps count of what failed.
struct SegmentationRun {
  let segmenter: Segmenter
  let atlas: Atlas
  let affine: MatrixFile?
  let reading: ReadOptions
  let console: Console
  let progress: Progress
  let scans: Int
  private let identity: SegmentationSidecar.AtlasIdentity
  private var table = VolumesTable()
  private var done = 0
  private var failures: [(scan: String, diagnosis: Diagnosis)] = []
  private var doubted: [String] = []

  init(
    segmenter: Segmenter, atlas: Atlas, source: AtlasChoice.Source, affine: MatrixFile?,
    reading: ReadOptions, console: Console, progress: Progress, scans: Int
  ) {
    self.segmenter = segmenter
    self.atlas = atlas
    self.affine = affine
    self.reading = reading
    self.console = console
    self.progress = progress
    self.scans = scans
    identity = SegmentationSidecar.AtlasIdentity(atlas, source: source)
  }

  /// Segments every scan; one that fails does not stop the others.
  mutating func segment(_ jobs: [SegmentationPlan.Job]) {
    for job in jobs {
      do {
        try segment(job)
      } catch {
        let diagnosis = Diagnosis(of: error)
        failures.append((job.scan, diagnosis))
        if scans > 1 { console.report(diagnosis) }
      }
      done += 1
      advance(to: 0)
    }
  }

  /// Part of one scan's work that reading and fitting are; the rest is writing.
  private static let fitted = 0.85

  private func advance(to fraction: Double) {
    progress.update((Double(done) + fraction) / Double(scans))
  }

  private func read(_ path: String) throws -> (Volume<Float>, ImageHeader) {
    let image = try ImageReader.readScan(path, reading)
    console.show(image.findings, of: path)
    return (image.volume, image.header)
  }

  private mutating func segment(_ job: SegmentationPlan.Job) throws {
    let (scan, header) = try read(job.scan)
    var segmenter = segmenter
    segmenter.settings.transform = try affine?.transform(
      scan: header.grid, atlas: atlas.prior.grid)
    let picture = job.picture == nil ? nil : scan
    let result = try segmenter.segment(
      scan, path: job.scan,
      progress: { advance(to: 0.03 + (Self.fitted - 0.03) * $0.fraction) },
      trace: { console.detail("\(job.subject): \($0)") })
    advance(to: Self.fitted)
    let checks = QualityCheck.all(result, atlas: atlas)
    for check in checks where check.verdict != .pass {
      console.warn("\(job.scan): \(check.verdict.rawValue) \(check.name): \(check.message)")
    }
    try write(result, checks, of: picture, header, for: job)
    table.add(subject: job.subject, volumes: result.volumes, table: atlas.prior.table)
    if checks.verdict == .fail { doubted.append(job.scan) }
    console.note("\(job.labels) written, quality \(checks.verdict.rawValue)")
  }

  /// The label map comes last: where it is, everything else is.
  private func write(
    _ result: Segmentation, _ checks: [QualityCheck], of picture: Volume<Float>?,
    _ header: ImageHeader, for job: SegmentationPlan.Job
  ) throws {
    let labels = atlas.prior.table
    let description = "segpipe \(Version.current) \(atlas.name)"
    if let path = job.picture, let picture {
      let drawn = QualityPicture.render(scan: picture, labels: result.labels, table: labels)
      try AtomicFile.write(PNG.encoded(drawn), to: path)
    }
    if let path = job.affine {
      let text = MatrixFile.text(
        result.transform, as: path.lowercased().hasSuffix(".tfm") ? .itk : .plain,
        software: "segpipe \(Version.current)")
      try AtomicFile.write(Array(text.utf8), to: path)
    }
    if let path = job.posteriors, let posteriors = result.posteriors {
      try PosteriorsFile.write(
        posteriors, order: result.order, like: header, to: path, description: description
      ) { advance(to: Self.fitted + (1 - Self.fitted) * $0) }
      if let sidecar = job.posteriorsSidecar {
        try AtomicFile.write(
          try PosteriorsSidecar(atlas: identity, table: labels).encoded(), to: sidecar)
      }
    }
    let sidecar = SegmentationSidecar(result, checks: checks, atlas: identity, table: labels)
    try AtomicFile.write(try sidecar.encoded(), to: job.sidecar)
    try ImageWriter.write(
      labels: result.labels, like: header, to: job.labels, description: description)
  }

  /// Writes the volumes of all scans that were segmented.
  ///
  /// - Throws: `ImagingError`.
  func write(volumes path: String) throws {
    guard failures.count < scans, let format = DelimitedText(extensionOf: path) else { return }
    try AtomicFile.write(table.encoded(as: format), to: path)
  }

  /// Tells what failed.
  ///
  /// - Throws: `ExitCode`, the numerically highest of the failures' codes.
  func conclude(isStrict: Bool) throws {
    if scans > 1, !failures.isEmpty {
      console.say("segpipe: \(failures.count) of \(scans) scans failed:")
      for failure in failures { console.say("  \(failure.diagnosis.message)") }
    } else {
      for failure in failures { console.report(failure.diagnosis) }
    }
    var status = failures.map(\.diagnosis.status.rawValue).max() ?? 0
    if isStrict, !doubted.isEmpty {
      console.report(
        Diagnosis(
          "quality checks failed: \(doubted.joined(separator: ", "))",
          hint: "The results were written; look at them with --qc.", status: .badData))
      status = max(status, Reports.ExitStatus.badData.rawValue)
    }
    if status != 0 { throw ExitCode(status) }
  }
}
