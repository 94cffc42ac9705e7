import Anatomy
import ArgumentParser
import Imaging
import Reports

struct DecodeCommand: ConsoleCommand {
  static let configuration = CommandConfiguration(
    commandName: "decode",
    abstract: "Decodes the latent that reconstruct kept.",
    discussion: """
      Writes what reconstruct wrote, byte for byte, from the latent alone: of the image given by --like \
      only the header is read.

      Examples:
        segpipe decode labels.safetensors --like labels.nii.gz -o again.nii.gz
        segpipe decode labels.safetensors --like scan.nii.gz -o on-the-scan.nii.gz
      """)

  @Argument(help: ArgumentHelp("The latent to read.", valueName: "latent"))
  var latent: String

  @Option(
    help: ArgumentHelp("The image whose grid and geometry the output has.", valueName: "file"))
  var like: String

  @Option(
    name: [.short, .long],
    help: ArgumentHelp("The label map to write, .nii or .nii.gz.", valueName: "file"))
  var output: String

  @OptionGroup var prior: PriorOptions
  @OptionGroup var reading: ReadingOptions
  @OptionGroup var outputs: OutputOptions
  @OptionGroup var common: CommonOptions

  func perform(_ console: Console) throws {
    try prior.check(image: output, overwrite: outputs.overwrite, inputs: [latent, like])
    let model = try prior.model(console)
    let file = try LatentFile(latent, for: model)
    let header = try ImageReader.readHeader(like, reading.options)
    let labels = try model.anatomy(file.latent.mean, on: header.grid, through: file.affine)
    try ImageWriter.write(
      labels: labels, like: header, to: output,
      description: "segpipe \(Version.current) \(model.atlas.name)")
    console.note("\(output) written")
  }
}
