import Anatomy
import ArgumentParser

/// What `segment` writes beside the label map.
struct SegmentOutputOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Posterior probabilities of every label, 4-D, with a JSON file that names the volumes.",
      valueName: "file"))
  var posteriors: String?

  @Option(
    help: ArgumentHelp(
      "How uncertain the labels are: entropy of the posterior in nats, .nii or .nii.gz.",
      valueName: "file"))
  var entropy: String?

  @Option(help: ArgumentHelp("Bits of each probability: 8 or 16.", valueName: "bits"))
  var posteriorBits = 8

  @Option(
    help: ArgumentHelp(
      "Table of volumes, .tsv or .csv: by the labels (hard) and by their probabilities (soft).",
      valueName: "file"))
  var volumes: String?

  @Option(
    help: ArgumentHelp(
      "Picture to judge the result by, .png: three planes, labels over the scan.",
      valueName: "file"))
  var qc: String?

  @Option(
    help: ArgumentHelp(
      "Page to judge the result by, .html: slices, checks, volumes against the atlas's, methods.",
      valueName: "file"))
  var report: String?

  @Flag(help: "Exit with 65 when a quality check fails; results are written all the same.")
  var qcStrict = false

  @Option(
    help: ArgumentHelp(
      "The affine that was found: .txt (matrix, scan to atlas) or .tfm (ITK).",
      valueName: "file"))
  var saveAffine: String?

  func validate() throws {
    guard posteriorBits == 8 || posteriorBits == 16 else {
      throw ValidationError("--posterior-bits is \(posteriorBits); it must be 8 or 16.")
    }
  }

  /// What a probability of 1 is stored as; nil for none.
  var posteriorLevels: Int? { posteriors == nil ? nil : posteriorBits == 8 ? 255 : 65535 }

  func request(labels: String) -> SegmentationPlan.Request {
    SegmentationPlan.Request(
      labels: labels, posteriors: posteriors, entropy: entropy, picture: qc, affine: saveAffine,
      report: report,
      volumes: volumes)
  }
}

/// How `segment` works.
struct SegmentMethodOptions: ParsableArguments {
  /// Whether the brain stands alone in the scan.
  enum Stripped: String, CaseIterable, ExpressibleByArgument {
    case yes, no, auto
  }

  @Option(help: ArgumentHelp("Folder of another atlas.", valueName: "folder"))
  var atlas: String?

  @Option(
    help: ArgumentHelp(
      "Workspace whose atlas is used, with what was trained for it. Default: segpipe-work, if it holds one.",
      valueName: "folder"))
  var workspace: String?

  @Option(
    help: """
      Whether everything around the structures of interest has been set to zero: yes, no, or auto to \
      find out.
      """)
  var stripped = Stripped.auto

  @Option(
    help: ArgumentHelp(
      """
      Register by this file: numbers that take scan to atlas, world mm; an ITK or ANTs transform, scan \
      moving; or FSL's .mat of flirt -in scan -ref (image on the atlas grid).
      """, valueName: "file"))
  var affine: String?

  @Option(
    help: ArgumentHelp(
      "Format of that file: plain, itk or fsl. Default: by content and name.", valueName: "format"))
  var affineFormat: MatrixFile.Format?

  @Option(
    help: ArgumentHelp(
      "Trained prior (see train-prior) to read the anatomy by. Default: that of the atlas, if any.",
      valueName: "file"))
  var prior: String?

  @Option(
    help: ArgumentHelp(
      "Trained encoder of scans (see pretrain-encoder). Default: that beside the prior, if any.",
      valueName: "file"))
  var encoder: String?

  @Option(
    help: ArgumentHelp(
      "Trained context (see train-context). Default: that beside the prior or atlas, if any.",
      valueName: "file"))
  var context: String?

  @Flag(help: "Use nothing that was trained: the location prior and a warp alone.")
  var noPrior = false

  @Flag(help: "Read no latent: of what was trained, the context alone.")
  var noLatent = false

  @Flag(help: "Label each voxel by itself: of what was trained, the latent alone.")
  var noContext = false

  @Option(
    help: ArgumentHelp("Steps by which the latent is refined on the scan.", valueName: "N"))
  var refine = Segmenter.Settings().refinements

  @Option(
    help: ArgumentHelp(
      """
      Anatomies drawn from what the encoder thinks possible; posteriors, labels and entropy are of their \
      mean. 1 takes the likeliest alone.
      """, valueName: "N"))
  var samples = Segmenter.Settings().samples

  @Option(help: ArgumentHelp("Another seed draws other anatomies.", valueName: "number"))
  var seed = Segmenter.Settings().seed

  @Option(
    help:
      "Form of the likelihood that the latent is refined by: exact, or jensen, the bound below it.")
  var likelihood = EncoderSettings.Likelihood.exact

  @Flag(help: "Fit no warp: faster, less accurate.")
  var noWarp = false

  @Flag(help: "Fit no bias field: for intensities that are calibrated, such as CT.")
  var noBias = false

  func validate() throws {
    if affineFormat != nil && affine == nil {
      throw ValidationError("--affine-format needs --affine.")
    }
    try OptionLimits.refinements.check("--refine", refine)
    try OptionLimits.samples.check("--samples", samples)
    try OptionLimits.seed.check("--seed", seed)
    if noPrior && samples > 1 {
      throw ValidationError("--samples draws from the trained prior, which --no-prior leaves out.")
    }
    if noPrior && (prior != nil || encoder != nil || context != nil) {
      throw ValidationError("--no-prior excludes --prior, --encoder and --context.")
    }
    if noContext && context != nil {
      throw ValidationError("--no-context excludes --context.")
    }
    if noLatent && (prior != nil || encoder != nil) {
      throw ValidationError("--no-latent excludes --prior and --encoder.")
    }
    if noLatent && samples > 1 {
      throw ValidationError("--samples draws the latent, which --no-latent leaves out.")
    }
    if atlas != nil && workspace != nil {
      throw ValidationError("--atlas and --workspace exclude each other.")
    }
  }

  /// For commands that place scans themselves. Throws `ValidationError`.
  func refuseAffine() throws {
    if affine != nil { throw ValidationError("--affine is for segment alone.") }
  }

  func settings(levels: Int?) -> Segmenter.Settings {
    var settings = Segmenter.Settings()
    settings.stripped = stripped == .auto ? nil : stripped == .yes
    (settings.fitsWarp, settings.fitsBias) = (!noWarp, !noBias)
    settings.posteriorLevels = levels
    (settings.refinements, settings.likelihood) = (refine, likelihood)
    (settings.samples, settings.seed) = (samples, seed)
    (settings.usesLatent, settings.usesContext) = (!noLatent, !noContext)
    return settings
  }

  /// The atlas to work with: a workspace that is named is meant, even if it holds none.
  ///
  /// - Throws: `AtlasLocationError`.
  func choice() throws -> AtlasChoice {
    if let workspace { return AtlasChoice(source: .workspace, folder: workspace + "/atlas") }
    return try AtlasChoice.choose(given: atlas, workspace: nil)
  }

  /// What was trained, as far as it is there and wanted; says what is passed over.
  ///
  /// - Throws: what `LearnedChoice.choose` and `LearnedChoice.read` throw.
  func learned(_ choice: AtlasChoice, _ atlas: Atlas, _ console: Console) throws -> Learned {
    let files = try files(choice)
    for encoder in files.passedOver {
      console.note("\(encoder): not used, it is of another prior")
    }
    return try files.read(for: atlas)
  }

  private func files(_ choice: AtlasChoice) throws -> LearnedChoice {
    noPrior
      ? .nothing
      : try LearnedChoice.choose(prior: prior, encoder: encoder, context: context, atlas: choice)
  }

  /// What segmenting takes, before anything large is read.
  ///
  /// - Throws: what `LearnedChoice.choose` and `AtlasFiles.size` throw.
  func memory(_ choice: AtlasChoice) throws -> SegmentationMemory {
    let (files, atlas) = (try files(choice), try AtlasFiles.size(of: choice.folder))
    return SegmentationMemory(
      atlas: atlas.voxels, labels: atlas.labels,
      readsAnatomy: files.prior != nil && !noLatent,
      usesContext: files.context != nil && !noContext, samples: samples)
  }

  /// Throws: `ImagingError`, `AnatomyError.badMatrix`.
  func matrix() throws -> MatrixFile? {
    try affine.map { try MatrixFile(reading: $0, format: affineFormat) }
  }
}

extension MatrixFile.Format: ExpressibleByArgument {}
