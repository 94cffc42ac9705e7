import Anatomy
import Files
import Imaging
import Reports

/// Segments scans with one atlas and writes what comes of each: the work that command and stage share.
final class ScanSegmenter {
  /// How scans are read and segmented.
  struct Settings {
    var method = Segmenter.Settings()
    var reading = ReadOptions()
    /// Whether what was trained is used where there is any.
    var usesPrior = true
    /// Registers by this instead of by the scan's content.
    var affine: MatrixFile?
  }

  /// What is known of a segmented scan beside its files.
  struct Result {
    let volumes: VolumesTable
    let checks: [QualityCheck]
  }

  let atlas: Atlas
  private let segmenter: Segmenter
  private let settings: Settings
  private let identity: SegmentationSidecar.AtlasIdentity
  private let memory: MemoryGuard
  private let console: Console

  /// `choice` says where the atlas is from.
  ///
  /// - Throws: `AnatomyError.noPrior` where a latent is to be drawn and there is none; what `Segmenter` throws.
  init(
    atlas: Atlas, learned: Learned, choice: AtlasChoice, settings: Settings, console: Console
  ) throws {
    guard settings.method.samples == 1 || learned.prior != nil else {
      throw AnatomyError.noPrior(tried: [choice.folder])
    }
    self.atlas = atlas
    self.settings = settings
    self.console = console
    let learned = settings.usesPrior ? learned : .nothing
    segmenter = try Segmenter(prior: atlas.prior, learned: learned, settings: settings.method)
    memory = MemoryGuard(
      SegmentationMemory(
        atlas: atlas.prior.grid.count, labels: atlas.prior.table.count,
        readsAnatomy: learned.prior != nil && settings.method.usesLatent,
        usesContext: learned.context != nil && settings.method.usesContext,
        samples: settings.method.samples), settings.reading)
    identity = SegmentationSidecar.AtlasIdentity(
      atlas, learned: learned, settings: settings.method, source: choice.source)
  }

  /// Part of one scan's work that reading and fitting are; the rest is writing.
  private static let fitted = 0.85

  /// Segments a scan and writes the job's files. `advance` is told how much is done, 0...1.
  ///
  /// - Throws: `ImagingError`, `FileError`, `AnatomyError`, the last before any work where memory is too little.
  func segment(_ job: SegmentationPlan.Job, advance: (Double) -> Void) throws -> Result {
    try memory.check(job.scan)
    let image = try ImageReader.readScan(job.scan, settings.reading)
    console.show(image.findings, of: job.scan)
    let (scan, header) = (image.volume, image.header)
    // A scan that is not drawn is not kept in memory.
    let picture = job.picture == nil && job.report == nil ? nil : scan
    var segmenter = segmenter
    segmenter.settings.keepsEntropy = job.entropy != nil
    segmenter.settings.transform = try settings.affine?.transform(
      scan: header.grid, atlas: atlas.prior.grid)
    let result = try segmenter.segment(
      scan, path: job.scan,
      progress: { advance(0.03 + (Self.fitted - 0.03) * $0.fraction) },
      trace: { console.detail("\(job.subject): \($0)") })
    advance(Self.fitted)
    let checks = QualityCheck.all(result, atlas: atlas)
    for check in checks where check.verdict != .pass {
      console.warn("\(job.scan): \(check.verdict.rawValue) \(check.name): \(check.message)")
    }
    var files = AtomicFileSet()
    if let picture {
      try draw(
        result, checks, of: picture, image.findings, segmenter.settings, for: job, to: &files)
    }
    try write(result, checks, header, for: job, to: &files, advance)
    try files.commit()
    var volumes = VolumesTable()
    volumes.add(subject: job.subject, volumes: result.volumes, table: atlas.prior.table)
    return Result(volumes: volumes, checks: checks)
  }

  /// What is there to be looked at.
  private func draw(
    _ result: Segmentation, _ checks: [QualityCheck], of scan: Volume<Float>,
    _ findings: [Finding], _ settings: Segmenter.Settings, for job: SegmentationPlan.Job,
    to files: inout AtomicFileSet
  ) throws {
    let picture = try PNG.encoded(
      QualityPicture.render(scan: scan, labels: result.labels, table: atlas.prior.table))
    if let path = job.picture { try files.add(picture, to: path) }
    if let path = job.report {
      let page = ScanPage(
        subject: job.subject, result, checks: checks, atlas: atlas, identity: identity,
        settings: settings, findings: findings, picture: picture)
      try files.add(try page.encoded(), to: path)
    }
  }

  /// The label map comes last: where it is, everything else is.
  private func write(
    _ result: Segmentation, _ checks: [QualityCheck], _ header: ImageHeader,
    for job: SegmentationPlan.Job, to files: inout AtomicFileSet, _ advance: (Double) -> Void
  ) throws {
    let labels = atlas.prior.table
    let description = "segpipe \(Version.current) \(atlas.name)"
    if let path = job.labelTable { try files.add(labels.encoded(as: .tsv), to: path) }
    if let path = job.affine {
      let text = MatrixFile.text(
        result.transform, as: path.lowercased().hasSuffix(".tfm") ? .itk : .plain,
        software: "segpipe \(Version.current)")
      try files.add(Array(text.utf8), to: path)
    }
    if let path = job.posteriors, let posteriors = result.posteriors {
      try files.add(
        PosteriorsFile.staged(
          posteriors, order: result.order, like: header, to: path, description: description
        ) { advance(Self.fitted + (1 - Self.fitted) * $0) })
      if let sidecar = job.posteriorsSidecar {
        try files.add(
          try PosteriorsSidecar(atlas: identity, table: labels, place: job.place).encoded(),
          to: sidecar)
      }
    }
    if let path = job.entropy, let entropy = result.entropy {
      try files.add(
        ImageWriter.staged(
          scan: entropy, like: header, to: path, description: description,
          intentName: ImageReader.entropyName))
    }
    let sidecar = SegmentationSidecar(
      result, checks: checks, atlas: identity, table: labels, place: job.place)
    try files.add(try sidecar.encoded(), to: job.sidecar)
    try files.add(
      ImageWriter.staged(
        labels: result.labels, like: header, to: job.labels, description: description))
  }
}
