import Anatomy
import ArgumentParser
import Files
import Foundation
import Imaging
import Reports

struct DemoCommand: ConsoleCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo",
    abstract: "Draws a head scan from the built-in atlas and segments it.",
    discussion: """
      Writes scan.nii.gz, truth.nii.gz, seg.nii.gz and seg.png. The scan is synthetic, and drawn from \
      the very atlas that then segments it: its score says that the program works here, nothing about \
      real scans.

      Examples:
        segpipe demo
        segpipe demo -o /tmp/demo --contrast random --seed 7
      """)

  @Option(name: [.short, .long], help: ArgumentHelp("Folder to write.", valueName: "folder"))
  var output = "segpipe-demo"

  @Option(help: "What the tissues look like: t1, t2 or random.")
  var contrast = SyntheticContrast.t1

  @Option(help: ArgumentHelp("Another seed gives another head.", valueName: "number"))
  var seed: UInt64 = 1

  @OptionGroup var outputs: OutputOptions
  @OptionGroup var common: CommonOptions

  func perform(_ console: Console) throws {
    let paths = ["scan.nii.gz", "truth.nii.gz", "seg.nii.gz", "seg.png"].map { output + "/" + $0 }
    for path in paths {
      try OutputGuard.check(path, overwrite: outputs.overwrite, inputs: [])
    }
    let description = "segpipe \(Version.current) demo"
    let progress = console.progress("demo")
    let atlas = try AtlasFiles.read(AtlasLocator().folder(of: "head"))
    progress.update(0.1)
    try draw(atlas, paths, description)
    progress.update(0.3)

    let image = try ImageReader.readScan(paths[0])
    let result = try Segmenter(prior: atlas.prior).segment(
      image.volume, path: paths[0], progress: { progress.update(0.3 + 0.6 * $0.fraction) })
    try ImageWriter.write(
      labels: result.labels, like: image.header, to: paths[2], description: description)
    let picture = QualityPicture.render(
      scan: image.volume, labels: result.labels, table: atlas.prior.table)
    try AtomicFile.write(PNG.encoded(picture), to: paths[3])
    progress.update(0.95)
    let scores = try LabelComparison.scores(
      segmentation: result.labels, reference: try ImageReader.readLabels(paths[1]).volume,
      set: .head29)
    progress.finish()
    let dice = scores.map(\.dice).reduce(0, +) / Double(scores.count)
    for path in paths { console.note(path) }
    try console.output(
      "mean Dice of \(scores.count) structures: \(DecimalText.fixed(dice, 3))\n"
        + "The scan is synthetic, drawn from the atlas that segmented it, so this figure is circular: "
        + "it shows that the program works, not how well it does on real scans.")
  }

  /// Draws the scan and its labels, and writes both.
  private func draw(_ atlas: Atlas, _ paths: [String], _ description: String) throws {
    var settings = SyntheticScan.Settings()
    settings.seed = seed
    settings.contrast = contrast
    let grid = SyntheticScan.tiltedGrid(
      extents: SIMD3(176, 208, 176), around: atlas.prior.grid.centre)
    let drawn = SyntheticScan(atlas.prior, on: grid, settings: settings)
    try LabelledScan(name: "demo", scan: drawn.scan, labels: drawn.truth)
      .write(scan: paths[0], labels: paths[1], description: description)
  }
}

extension SyntheticContrast: ExpressibleByArgument {}
