import Anatomy
import ArgumentParser
import Files
import Foundation
import Imaging
import Reports

extension BenchCommand {
  struct EncoderCommand: ConsoleCommand {
    static let configuration = CommandConfiguration(
      commandName: "encoder",
      abstract: "Measures how many steps of refinement the encoder of scans saves.",
      discussion: """
        Refines the latent of each scan from what the encoder makes of it and from zero, and tells after \
        how many steps the first is as good as the second is at the end, by the loss that is minimised and by \
        the likelihood alone. Losses are tempered negative log-posteriors, in nats, likelihoods their part \
        without log p(z): less is better.

        Examples:
          segpipe bench encoder scan.nii.gz
          segpipe bench encoder a.nii.gz b.nii.gz --steps 60 --json
        """)

    @Argument(help: "Scans.")
    var scans: [String]

    @Option(help: ArgumentHelp("Steps from each start.", valueName: "N"))
    var steps = 30

    @Flag(help: "Print all losses as JSON.")
    var json = false

    @OptionGroup(title: "Method") var method: SegmentMethodOptions
    @OptionGroup(title: "Reading scans") var reading: ReadingOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
      guard (1...10_000).contains(steps) else {
        throw ValidationError("--steps is \(steps); it must be 1 to 10000.")
      }
      try method.refuseAffine()
      if method.noPrior || method.noLatent {
        throw ValidationError("--no-prior and --no-latent leave no latent to refine.")
      }
    }

    /// What is printed of a scan.
    private struct Entry: Encodable {
      let scan: String
      let stepsFromZero: Int
      let stepsFromEncoder: Int?
      let stepsToLikelihood: Int?
      let lossesFromZero: [Double]
      let lossesFromEncoder: [Double]
      let likelihoodsFromZero: [Double]
      let likelihoodsFromEncoder: [Double]
    }

    func perform(_ console: Console) throws {
      let choice = try method.choice()
      let atlas = try AtlasFiles.read(choice.folder)
      let learned = try method.learned(choice, atlas, console)
      guard learned.prior != nil else {
        throw AnatomyError.noPrior(tried: [choice.folder])
      }
      let segmenter = try Segmenter(
        prior: atlas.prior, learned: learned, settings: method.settings(levels: nil))
      let progress = console.progress("refining")
      var entries: [Entry] = []
      for (index, path) in scans.enumerated() {
        let race = try segmenter.race(
          try ImageReader.readScan(path, reading.options).volume, path: path, steps: steps,
          trace: { console.detail("\(path): \($0)") })
        entries.append(
          Entry(
            scan: path, stepsFromZero: steps, stepsFromEncoder: race.stepsOfEncoder,
            stepsToLikelihood: race.stepsToLikelihood, lossesFromZero: race.fromZero.losses,
            lossesFromEncoder: race.fromEncoder.losses,
            likelihoodsFromZero: race.fromZero.likelihoods,
            likelihoodsFromEncoder: race.fromEncoder.likelihoods))
        progress.update(Double(index + 1) / Double(scans.count))
      }
      progress.finish()
      if json {
        try console.output(try JSONBytes.text(entries, pretty: true))
      } else {
        try console.output(entries.map { Self.line($0) }.joined(separator: "\n"))
      }
    }

    private static func line(_ entry: Entry) -> String {
      func fixed(_ losses: [Double]) -> String {
        "\(DecimalText.fixed(losses[0], 0)) to \(DecimalText.fixed(losses[losses.count - 1], 0))"
      }
      let verdict =
        entry.stepsFromEncoder.map { "as good after \($0)" } ?? "not as good"
      return "\(entry.scan): from zero \(fixed(entry.lossesFromZero)) nats in "
        + "\(entry.stepsFromZero) steps; from the encoder \(fixed(entry.lossesFromEncoder)), \(verdict)"
        + (entry.stepsToLikelihood.map { ", as likely after \($0)" } ?? ", not as likely")
    }
  }
}
