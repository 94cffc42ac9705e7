import Anatomy
import ArgumentParser
import Foundation
import Imaging
import Reports

struct BuildAtlasCommand: ConsoleCommand {
  static let configuration = CommandConfiguration(
    commandName: "build-atlas",
    abstract: "Builds a location prior from a folder of label maps.")

  @Argument var maps: [String]
  @Option var workspace = "segpipe-work"
  @Option var labels: String?
  @Option var smoothing = 1.0
  @Option var refinements = 2
  @Option var name = "custom"
  @Option var mirrored: Bool?
  @OptionGroup var outputs: OutputOptions
  @OptionGroup var common: CommonOptions

  func perform(_ console: Console) throws {
    var settings = AtlasBuilder.Settings()
    settings.smoothing = smoothing
    settings.refinements = refinements
    settings.name = name
    settings.mirrored = mirrored
    let paths = try FileManager.default.contentsOfDirectory(atPath: maps[0])
      .filter { $0.hasSuffix(".nii.gz") }.map { maps[0] + "/" + $0 }
    let table = try LabelTable.read(labels ?? AtlasLocator().folder(of: "head") + "/labels.tsv")
    let builder = AtlasBuilder(
      table: table, settings: settings,
      read: { try ImageReader.readLabels($0).volume },
      progress: { console.detail("\($0) \($1)/\($2)") })
    let (atlas, reports) = try builder.build(paths)
    for report in reports {
      console.note(
        "\(report.path): rms \(report.rms) clipped \(report.clipped) cut \(report.cutFaces) absent \(report.absent)")
    }
    console.note("mirrored \(atlas.origin.mirrored)")
    try AtlasFiles.write(
      atlas, to: workspace + "/atlas", license: "Apache-2.0",
      generator: "segpipe \(Version.current)")
  }
}
