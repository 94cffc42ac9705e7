import Anatomy
import ArgumentParser
import Imaging
import Reports

struct ReconstructCommand: ConsoleCommand {
  static let configuration = CommandConfiguration(
    commandName: "reconstruct",
    abstract: "Encodes a label map with a trained prior, and decodes it again.",
    discussion: """
      Shows what the prior can say of an anatomy: the map is brought to the atlas by the centres of its \
      structures, encoded, and decoded at the mean of q. The output lies on the map's own grid, with the \
      label table's values; beyond the atlas grid it is background.

      Examples:
        segpipe reconstruct labels.nii.gz -o again.nii.gz
        segpipe reconstruct labels.nii.gz -o again.nii.gz --latent labels.safetensors
        segpipe reconstruct labels.nii.gz -o again.nii.gz --atlas my-atlas
      """)

  @Argument(help: ArgumentHelp("The label map to read.", valueName: "label map"))
  var map: String

  @Option(
    name: [.short, .long],
    help: ArgumentHelp("The label map to write, .nii or .nii.gz.", valueName: "file"))
  var output: String

  @Option(
    help: ArgumentHelp(
      "Keep the latent in this file, .safetensors; segpipe decode reads it.", valueName: "file"))
  var latent: String?

  @OptionGroup var prior: PriorOptions
  @OptionGroup var reading: ReadingOptions
  @OptionGroup var outputs: OutputOptions
  @OptionGroup var common: CommonOptions

  func validate() throws {
    if let latent, !latent.lowercased().hasSuffix(".safetensors") {
      throw ValidationError("--latent is '\(latent)'; it must end in .safetensors.")
    }
  }

  func perform(_ console: Console) throws {
    let overwrite = outputs.overwrite
    try prior.check(image: output, overwrite: overwrite, inputs: [map])
    if let latent {
      let inputs = [map, output] + [prior.prior].compactMap { $0 }
      try OutputGuard.check(latent, overwrite: overwrite, inputs: inputs)
    }
    let model = try prior.model(console)
    let image = try ImageReader.readLabels(map, reading.options)
    console.show(image.findings, of: map)
    let result = try Reconstruction(image.volume, path: map, by: model)
    if let latent { try result.latent.write(to: latent) }
    try ImageWriter.write(
      labels: result.labels, like: image.header, to: output,
      description: "segpipe \(Version.current) \(model.atlas.name)")
    let dice = result.dice.mean.map { DecimalText.fixed($0, 4) } ?? "n/a"
    let divergence = DecimalText.fixed(result.latent.latent.divergence, 0)
    console.note("\(output) written, mean Dice \(dice), divergence \(divergence) nats")
  }
}
