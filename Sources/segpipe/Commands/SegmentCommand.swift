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
  @Option var qc: String?
  @OptionGroup var outputs: OutputOptions
  @OptionGroup var common: CommonOptions

  func perform(_ console: Console) throws {
    let clock = ContinuousClock()
    let start = clock.now
    let atlas = try AtlasFiles.read(atlas ?? AtlasLocator().folder(of: "head"))
    console.detail("atlas \(clock.now - start)")
    let image = try ImageReader.readScan(scan)
    console.detail("scan \(clock.now - start)")
    let segmenter = try Segmenter(prior: atlas.prior)
    console.detail("segmenter \(clock.now - start)")
    let result = try segmenter.segment(image.volume, path: scan) { console.detail("\($0) \(clock.now - start)") } trace: { console.detail("\($0) \(clock.now - start)") }
    let labels = result.labels
    console.detail("\(result.quality)")
    let fit = result
    if let qc {
      try AtomicFile.write(
        PNG.encoded(
          QualityPicture.render(scan: image.volume, labels: labels, table: atlas.prior.table)),
        to: qc)
    }
    for (i, g) in fit.model.groups.enumerated() {
      console.detail(
        atlas.prior.table.groups[i] + " " + g.map { "\(Int($0.mean))±\(Int($0.variance.squareRoot())) (\(Int($0.weight*100))%)" }.joined(separator: " ") + " zero \(fit.model.zeroShare[i])")
    }
    console.detail("labelled \(clock.now - start)")
    try ImageWriter.write(labels: labels, like: image.header, to: output, description: "segpipe")
    console.detail("done \(clock.now - start)")
  }
}
