import Files
import Foundation
import Imaging

/// How well segmentations agree with references, in words, as a table and as JSON.
package struct EvaluationReport: Sendable {
  /// One segmentation against one reference.
  package struct Pair: Sendable {
    package let segmentation: String
    package let reference: String
    /// At least one.
    package let scores: [StructureScore]

    package init(segmentation: String, reference: String, scores: [StructureScore]) {
      self.segmentation = segmentation
      self.reference = reference
      self.scores = scores
    }

    /// Mean over the structures.
    package var meanDice: Double { mean(scores.map(\.dice)) ?? 0 }

    /// Mean over the structures that both sides have, in mm; nil where there is none.
    package var meanSurfaceDistance95: Double? { mean(scores.compactMap(\.surfaceDistance95)) }
  }

  package let pairs: [Pair]

  package init(pairs: [Pair]) { self.pairs = pairs }

  /// Mean over the pairs of each pair's mean.
  package var meanDice: Double { mean(pairs.map(\.meanDice)) ?? 0 }

  /// For people: a block for each pair, then the mean.
  package var text: String {
    var lines: [String] = []
    for pair in pairs {
      let distance = pair.meanSurfaceDistance95.map { DecimalText.fixed($0, 2) } ?? "n/a"
      lines.append(
        "\(pair.segmentation) against \(pair.reference): "
          + "mean Dice \(DecimalText.fixed(pair.meanDice, 4)), mean 95 % distance \(distance) mm")
      let width = pair.scores.map(\.name.count).max() ?? 0
      lines.append(
        Self.line("structure", width, ["Dice", "95 % distance, mm", "volume, mm3", "difference"]))
      lines += pair.scores.map { score in
        Self.line(
          score.name, width,
          [
            DecimalText.fixed(score.dice, 3),
            score.surfaceDistance95.map { DecimalText.fixed($0, 2) } ?? "n/a",
            DecimalText.fixed(score.volume, 0),
            score.volumeDifferencePercent.map { DecimalText.fixed($0, 1) + " %" } ?? "n/a",
          ])
      }
    }
    lines.append(
      "mean over \(pairs.count) \(pairs.count == 1 ? "scan" : "scans"): \(DecimalText.fixed(meanDice, 4))"
    )
    return lines.joined(separator: "\n")
  }

  private static func line(_ name: String, _ width: Int, _ fields: [String]) -> String {
    let widths = [8, 19, 13, 12]
    let padded = name + String(repeating: " ", count: max(0, max(width, 9) - name.count))
    return zip(fields, widths).reduce("  " + padded) { line, field in
      line + String(repeating: " ", count: max(1, field.1 - field.0.count)) + field.0
    }
  }

  package static let columns = [
    "segmentation", "reference", "index", "name", "dice", "surface_distance_95_mm", "voxels",
    "reference_voxels", "volume_mm3", "reference_volume_mm3", "volume_difference_mm3",
    "volume_difference_percent",
  ]

  /// The first line of a table, by which one of these is known.
  package static func firstLine(of format: DelimitedText) -> String {
    String(decoding: format.encoded([columns]), as: UTF8.self)
  }

  /// A row for each structure of each pair, `columns` first.
  package var rows: [[String?]] {
    [Self.columns]
      + pairs.flatMap { pair in
        pair.scores.map { score in
          [
            pair.segmentation, pair.reference, "\(score.index)", score.name,
            DecimalText.fixed(score.dice, 6),
            score.surfaceDistance95.map { DecimalText.fixed($0, 4) }, "\(score.voxels)",
            "\(score.referenceVoxels)", DecimalText.fixed(score.volume, 3),
            DecimalText.fixed(score.referenceVolume, 3),
            DecimalText.fixed(score.volumeDifference, 3),
            score.volumeDifferencePercent.map { DecimalText.fixed($0, 3) },
          ]
        }
      }
  }

  /// As JSON with sorted keys: `meanDice`, and `scans` with `segmentation`, `reference`, `meanDice`,
  /// `meanSurfaceDistance95` (mm) and `structures`. Missing numbers are left out.
  package func json() throws -> String { try JSONBytes.text(Document(self), pretty: true) }

  private struct Document: Encodable {
    let meanDice: Double
    let scans: [Scan]

    struct Scan: Encodable {
      let segmentation: String
      let reference: String
      let meanDice: Double
      let meanSurfaceDistance95: Double?
      let dice: [String: Double]
      let structures: [Structure]
    }

    struct Structure: Encodable {
      let index: Int32
      let name: String
      let dice: Double
      let surfaceDistance95: Double?
      let volume: Double
      let referenceVolume: Double
      let volumeDifference: Double
      let volumeDifferencePercent: Double?
    }

    init(_ report: EvaluationReport) {
      meanDice = report.meanDice
      scans = report.pairs.map { pair in
        Scan(
          segmentation: pair.segmentation, reference: pair.reference, meanDice: pair.meanDice,
          meanSurfaceDistance95: pair.meanSurfaceDistance95,
          dice: Dictionary(pair.scores.map { ($0.name, $0.dice) }) { first, _ in first },
          structures: pair.scores.map { score in
            Structure(
              index: score.index, name: score.name, dice: score.dice,
              surfaceDistance95: score.surfaceDistance95, volume: score.volume,
              referenceVolume: score.referenceVolume, volumeDifference: score.volumeDifference,
              volumeDifferencePercent: score.volumeDifferencePercent)
          })
      }
    }
  }
}

/// Nil for no values.
private func mean(_ values: [Double]) -> Double? {
  values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
}
