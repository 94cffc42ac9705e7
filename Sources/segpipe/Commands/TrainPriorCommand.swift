import Anatomy
import ArgumentParser

struct TrainPriorCommand: ConsoleCommand {
  static let configuration = CommandConfiguration(
    commandName: "train-prior",
    abstract: "Trains the auto-encoder that learns how anatomy varies, from label maps.",
    discussion: """
      With no arguments, trains on the maps and the atlas that build-atlas left in the workspace. \
      Checkpoints are written as it goes: a run that was stopped or killed goes on when it is repeated, \
      and ends with the same weights.

      Examples:
        segpipe train-prior
        segpipe train-prior labels/ --atlas atlases/head -o prior
        segpipe train-prior --hold-out sub-13 sub-14 sub-15 --stop-on-plateau 8
      """)

  @OptionGroup var inputs: MapTrainingOptions

  @Option(help: "Network: default (warps the location prior) or R1 (logits for every voxel).")
  var architecture = PriorSettings.Architecture.warping

  @Option(
    help: ArgumentHelp(
      """
      Latent dimensions: of each cell of 16 voxels along an axis, or, for R1, of all. Default: \
      \(PriorSettings().latentSize), and \(PriorSettings(architecture: .r1).latentSize) for R1.
      """, valueName: "N"))
  var latentSize: Int?

  @OptionGroup var latent: LatentTrainingOptions
  @OptionGroup var common: CommonOptions

  func validate() throws {
    try OptionLimits.latentSize.check("--latent-size", latentSize)
  }

  func perform(_ console: Console) throws {
    var settings = PriorSettings(architecture: architecture)
    settings.latentSize = latentSize ?? settings.latentSize
    (settings.beta, settings.samples) = (latent.beta, latent.samples)
    try inputs.train(PriorTraining.self, settings, name: "prior", console: console)
  }
}

extension PriorSettings.Architecture: ExpressibleByArgument {}
