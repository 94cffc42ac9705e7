import Anatomy
import ArgumentParser
import Foundation
import Imaging
import Reports

struct SegmentCommand: ConsoleCommand {
  static let configuration = CommandConfiguration(
    commandName: "segment",
    abstract: "Segments scans on their own grid.")

  @Argument var scan: String
  @Option(name: .shortAndLong) var output: String
  @Option var atlas: String?
  @OptionGroup var outputs: OutputOptions
  @OptionGroup var common: CommonOptions

  func perform(_ console: Console) throws {
    let clock = ContinuousClock()
    let start = clock.now
    let atlas = try AtlasFiles.read(atlas ?? AtlasLocator().folder(of: "head"))
    console.detail("atlas \(clock.now - start)")
    let image = try ImageReader.readScan(scan)
    console.detail("scan \(clock.now - start)")
    let segmenter = Segmenter(prior: atlas.prior)
    let fit = try segmenter.fit(image.volume, path: scan) { console.detail($0) }
    let labels = segmenter.label(image.volume, fit)
    for (i, g) in fit.model.groups.enumerated() {
      console.detail(
        atlas.prior.table.groups[i] + " " + g.map { "\(Int($0.mean))±\(Int($0.variance.squareRoot())) (\(Int($0.weight*100))%)" }.joined(separator: " ") + " zero \(fit.model.zeroShare[i])")
    }
    console.detail("labelled \(clock.now - start)")
    try ImageWriter.write(labels: labels, like: image.header, to: output, description: "segpipe")
    console.detail("done \(clock.now - start)")
  }
}
