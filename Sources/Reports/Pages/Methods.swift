import Anatomy

/// How a segmentation came about, in the words of a paper's methods section.
package struct Methods {
  package let paragraphs: [String]
  /// What to cite.
  package let citations: [String]

  /// Of a scan, or of several with the same settings; `borders` are the rules that apply to the atlas's labels.
  package init(
    atlas: SegmentationSidecar.AtlasIdentity, borders: BorderRules, settings: Segmenter.Settings,
    scans: Int = 1
  ) {
    let (subject, its) = scans == 1 ? ("The scan was", "the scan's") : ("Scans were", "each scan's")
    var steps = [
      settings.transform == nil
        ? "The atlas was brought to \(its) space by an affine transform that maximises the "
          + "likelihood of the intensities."
        : "The affine transform from scan to atlas was given.",
      "Intensities of each tissue group were modelled by a mixture of Gaussians, whose parameters "
        + "were estimated from the scan alone by expectation maximisation; no labelled scan was "
        + "used for training.",
    ]
    if settings.fitsBias {
      steps.append(
        "A smooth multiplicative bias field was estimated with them"
          + (scans == 1 ? "." : ", but of intensities that do not start at zero."))
    }
    if let prior = atlas.prior { steps.append(Self.reading(prior, atlas.encoder, settings, its)) }
    if settings.fitsWarp {
      steps.append("The atlas was then warped smoothly to the scan by gradient steps.")
    }
    if let context = atlas.context {
      steps.append(
        "A convolutional network (\(context.prefix(16))), trained on scans simulated from label maps, changed "
          + "the label prior at each voxel by what the posterior looked like around it (auto-context)."
      )
    }
    steps.append(
      "Each voxel of \(its) own grid was given the label of highest posterior probability"
        + Self.words(for: borders) + "; volumes are sums of posterior probabilities.")
    citations =
      [Self.model]
      + (atlas.prior == nil ? [] : [Self.autoEncoder])
      + (atlas.context == nil ? [] : [Self.autoContext])
    paragraphs = [
      "\(subject) segmented with segpipe \(Version.current) after the model of Dalca, Guttag and "
        + "Sabuncu (2018), with the probabilistic atlas '\(atlas.name)', made from \(atlas.maps) "
        + "label maps (fingerprint \(atlas.fingerprint)).",
      steps.joined(separator: " "),
    ]
  }

  /// How labels at borders differ from those of highest probability.
  private static func words(for borders: BorderRules) -> String {
    var words = ""
    if borders.endsFluid {
      words +=
        ", fluid no further than halfway from its purest voxels' intensity to that of the tissue "
        + "beside it" + (borders.hasCortex ? " (beside the cortex, seven tenths of the way)" : "")
    }
    if borders.findsMixtures {
      words +=
        ", and grey matter nowhere in a single layer between fluid and white matter, whose mixture "
        + "it looks like"
    }
    return words
  }

  /// How the latent of a trained prior came about, given the digests of prior and encoder.
  private static func reading(
    _ prior: String, _ encoder: String?, _ settings: Segmenter.Settings, _ its: String
  ) -> String {
    let decoder =
      settings.fitsWarp ? ", by half its residual logits and without its displacements," : ""
    let network = encoder.map { "an encoder of scans (\($0.prefix(16)))" } ?? "its encoder"
    return "The label prior was decoded by a variational auto-encoder of label maps "
      + "(\(prior.prefix(16)))\(decoder) from a latent that \(network) read from \(its) likelihoods"
      + refinement(settings)
      + (settings.samples > 1
        ? " Posterior probabilities are the mean over \(settings.samples) latents drawn from what that network "
          + "thinks possible."
        : "")
  }

  private static func refinement(_ settings: Segmenter.Settings) -> String {
    guard settings.refinements > 0 else { return "." }
    let steps = settings.refinements == 1 ? "1 step" : "\(settings.refinements) steps"
    let form = settings.likelihood == .jensen ? "Jensen's bound of the" : "the"
    return " and \(steps) of gradient ascent on \(form) likelihood, tempered by "
      + "\(ScanAnatomy.temperature), and the normal prior of latents refined."
  }

  private static let model =
    "Dalca, A. V., Guttag, J., & Sabuncu, M. R. (2018). Anatomical priors in convolutional networks "
    + "for unsupervised biomedical segmentation. Proceedings of the IEEE Conference on Computer "
    + "Vision and Pattern Recognition, 9290-9299."
  private static let autoEncoder =
    "Kingma, D. P., & Welling, M. (2014). Auto-encoding variational Bayes. International Conference "
    + "on Learning Representations."
  private static let autoContext =
    "Tu, Z., & Bai, X. (2010). Auto-context and its application to high-level vision tasks and 3D "
    + "brain image segmentation. IEEE Transactions on Pattern Analysis and Machine Intelligence, "
    + "32(10), 1744-1757."

  /// What to cite for a trained prior and its encoder.
  static let citationsOfPrior = [model, autoEncoder]

  /// As plain text.
  package var text: String {
    (paragraphs + ["References:"] + citations).joined(separator: "\n\n") + "\n"
  }
}
