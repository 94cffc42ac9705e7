import Anatomy
import ArgumentParser
import Imaging
import Networks
import Reports

struct InterpolateCommand: ConsoleCommand {
  static let configuration = CommandConfiguration(
    commandName: "interpolate",
    abstract: "Goes from one anatomy to another through a trained prior.",
    discussion: """
      Writes step-001.nii.gz and on, on the atlas grid, and their volumes as volumes.tsv: anatomies at \
      equal steps along the straight line from the first latent to the second, both ends included.

      Examples:
        segpipe interpolate young.nii.gz old.nii.gz -n 9 -o steps/
        segpipe interpolate a.safetensors b.safetensors -n 5 -o steps/
      """)

  @Argument(
    help: ArgumentHelp("A label map, or a latent that reconstruct kept.", valueName: "first"))
  var first: String

  @Argument(help: ArgumentHelp("Another one.", valueName: "second"))
  var second: String

  @Option(
    name: [.customShort("n"), .customLong("count")],
    help: ArgumentHelp("Number of anatomies, both ends among them.", valueName: "N"))
  var count: Int

  @Option(
    name: [.short, .long], help: ArgumentHelp("Folder to write to.", valueName: "folder"))
  var output: String

  @OptionGroup var prior: PriorOptions
  @OptionGroup var reading: ReadingOptions
  @OptionGroup var outputs: OutputOptions
  @OptionGroup var common: CommonOptions

  func validate() throws {
    guard (2...10_000).contains(count) else {
      throw ValidationError("-n is \(count); it must be 2 to 10000.")
    }
  }

  func perform(_ console: Console) throws {
    var folder = try AnatomyFolder(
      output, name: "step", count: count, images: true, overwrite: outputs.overwrite,
      inputs: [first, second] + [prior.prior].compactMap { $0 })
    let model = try prior.model(console)
    let line = LatentLine(
      try latent(first, model, console), try latent(second, model, console), count: count)
    let progress = console.progress("interpolating")
    for (index, z) in line.points.enumerated() {
      let labels = try model.mostProbable(z)
      let volumes = LabelVolumes.of(
        labels, labels: model.space.table.count, grid: model.space.grid)
      try folder.add(labels, volumes: volumes, number: index + 1, by: model)
      progress.update(Double(index + 1) / Double(count))
    }
    try folder.finish()
    progress.finish()
    console.note("\(output): \(count) anatomies written")
  }

  private func latent(
    _ path: String, _ model: PriorModel, _ console: Console
  ) throws -> GaussianLatent {
    if LatentFile.isLatent(path) { return try LatentFile(path, for: model).latent }
    let image = try ImageReader.readLabels(path, reading.options)
    console.show(image.findings, of: path)
    return try model.latent(image.volume, path: path).latent
  }
}
