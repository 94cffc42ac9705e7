import Anatomy
import ArgumentParser

/// How an encoder of scans is trained.
struct EncoderTrainingOptions: ParsableArguments {
  @OptionGroup var prior: PriorOptions

  @Option(
    help: ArgumentHelp(
      """
      Trained encoder to start from. Default: for train-segmenter that of pretrain-encoder in the workspace, \
      if there is one for this prior; else the prior's own, of label maps.
      """,
      valueName: "file"))
  var start: String?

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "Label maps, by name, that are not trained on; reports are on scans drawn from them.",
      valueName: "names"))
  var holdOut: [String] = []

  @OptionGroup var latent: LatentTrainingOptions
  @OptionGroup var training: TrainingOptions

  func settings(_ source: EncoderSettings.Source) -> EncoderSettings {
    var settings = training.applied(to: EncoderSettings(source))
    (settings.beta, settings.samples) = (latent.beta, latent.samples)
    return settings
  }
}

extension EncoderSettings.Likelihood: ExpressibleByArgument {}
