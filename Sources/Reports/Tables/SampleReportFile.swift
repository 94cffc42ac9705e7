import Anatomy
import Files
import Foundation

/// What random anatomies look like, as a file and in words.
package struct SampleReportFile: Encodable, Sendable {
  private let generator: String
  private let atlas: String
  private let prior: String
  private let source: LatentSource.Kind
  private let seed: UInt64
  private let result: SampleReport

  package init(_ result: SampleReport, _ source: LatentSource, of model: PriorModel) {
    generator = "segpipe \(Version.current)"
    atlas = model.atlas.name
    prior = model.file.digest
    self.source = source.kind
    seed = source.seed
    self.result = result
  }

  private enum Key: String, CodingKey {
    case generator = "_generator"
    case atlas, prior, from, seed
  }

  package func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: Key.self)
    try values.encode(generator, forKey: .generator)
    try values.encode(atlas, forKey: .atlas)
    try values.encode(prior, forKey: .prior)
    try values.encode(source, forKey: .from)
    try values.encode(seed, forKey: .seed)
    try result.encode(to: encoder)
  }

  /// The file's bytes, JSON.
  package func encoded() throws -> [UInt8] { try JSONBytes.file(self) }

  /// The most important figures in one line.
  package static func sentence(of result: SampleReport) -> String {
    func percent(_ share: Double) -> String { "\(DecimalText.fixed(100 * share, 0)) %" }
    var parts = [
      "\(result.samples) \(result.samples == 1 ? "anatomy" : "anatomies")",
      "\(percent(result.withAllStructures)) whole",
    ]
    if let inside = result.withAllVolumesInside {
      var words = "\(percent(inside)) with all volumes in the training range"
      if result.drawsPerSample > 1, let first = result.withAllVolumesInsideAtOnce {
        words += " (\(percent(first)) when first drawn)"
      }
      parts.append(words)
    }
    if let ratio = result.meanSpreadRatio, let least = result.leastSpreadRatio {
      parts.append(
        "spread of volumes \(DecimalText.fixed(ratio, 2)) of the training maps' "
          + "(least \(DecimalText.fixed(least, 2)))")
    }
    if let dice = result.meanPairwiseDice {
      parts.append("mean Dice between two \(DecimalText.fixed(dice, 3))")
    }
    return parts.joined(separator: ", ")
  }
}
