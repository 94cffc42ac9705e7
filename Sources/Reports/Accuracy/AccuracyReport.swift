import Foundation
import Imaging

/// Dice of several ways to segment on several scans: what each part of a method is worth.
package struct AccuracyReport: Sendable {
  package struct Entry: Sendable {
    package let variant: String
    package let scan: String
    package let scores: [StructureScore]
    package let seconds: Double

    package init(variant: String, scan: String, scores: [StructureScore], seconds: Double) {
      self.variant = variant
      self.scan = scan
      self.scores = scores
      self.seconds = seconds
    }

    package var dice: Double {
      scores.isEmpty ? 0 : scores.map(\.dice).reduce(0, +) / Double(scores.count)
    }
  }

  package private(set) var entries: [Entry] = []

  package init() {}

  package mutating func add(_ entry: Entry) { entries.append(entry) }

  private var variants: [String] { Self.unique(entries.map(\.variant)) }
  private var scans: [String] { Self.unique(entries.map(\.scan)) }

  private static func unique(_ names: [String]) -> [String] {
    var seen: Set<String> = []
    return names.filter { seen.insert($0).inserted }
  }

  private func dice(_ variant: String, _ scan: String) -> Double? {
    entries.first { $0.variant == variant && $0.scan == scan }?.dice
  }

  /// Mean over the scans that a variant was tried on.
  package func mean(_ variant: String) -> Double {
    let found = entries.filter { $0.variant == variant }.map(\.dice)
    return found.isEmpty ? 0 : found.reduce(0, +) / Double(found.count)
  }

  /// A row for each variant, scan and structure, and one for each mean.
  package var rows: [[String]] {
    var rows = [["variant", "scan", "structure", "dice"]]
    for entry in entries {
      rows += entry.scores.map {
        [entry.variant, entry.scan, $0.name, DecimalText.fixed($0.dice, 4)]
      }
      rows.append([entry.variant, entry.scan, "mean", DecimalText.fixed(entry.dice, 4)])
    }
    rows += variants.map { [$0, "mean", "mean", DecimalText.fixed(mean($0), 4)] }
    return rows
  }

  /// Means in a table of text.
  package var text: String {
    let (variants, scans) = (variants, scans)
    let width = (variants.map(\.count) + [7]).max() ?? 7
    let columns = scans.map { max(8, $0.count) } + [8]
    func line(_ name: String, _ fields: [String]) -> String {
      let padded = zip(fields, columns).map { field, width in
        String(repeating: " ", count: max(0, width - field.count)) + field
      }
      let first = name.padding(toLength: width, withPad: " ", startingAt: 0)
      return ([first] + padded).joined(separator: "  ")
    }
    let body = variants.map { variant in
      line(
        variant,
        scans.map { scan in dice(variant, scan).map { DecimalText.fixed($0, 4) } ?? "" }
          + [DecimalText.fixed(mean(variant), 4)])
    }
    return ([line("variant", scans + ["mean"])] + body).joined(separator: "\n")
  }

  // MARK: Picture

  /// Means as bars, a point for each scan, as SVG: no scripts and no fonts of its own.
  package var svg: String {
    let (variants, scans) = (variants, scans)
    let values = entries.map(\.dice)
    let low = max(0, ((values.min() ?? 0) * 20).rounded(.down) / 20 - 0.05)
    let high = min(1, ((values.max() ?? 1) * 20).rounded(.up) / 20)
    let (left, width, row) = (230.0, 420.0, 24.0)
    let height = 60 + row * Double(variants.count)
    func x(_ dice: Double) -> Double { left + width * (dice - low) / max(high - low, 1e-9) }
    func number(_ value: Double) -> String { DecimalText.fixed(value, 1) }
    var parts = [
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"\(number(left + width + 90))\" "
        + "height=\"\(number(height))\" font-family=\"sans-serif\" font-size=\"12\">",
      "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>",
      "<text x=\"\(number(left))\" y=\"18\">Mean Dice; points are scans</text>",
    ]
    for (index, variant) in variants.enumerated() {
      let y = 32 + row * Double(index)
      let mean = mean(variant)
      parts.append(
        "<text x=\"\(number(left - 8))\" y=\"\(number(y + 14))\" text-anchor=\"end\">"
          + "\(HTMLText.escaped(variant))</text>")
      parts.append(
        "<rect x=\"\(number(left))\" y=\"\(number(y + 3))\" width=\"\(number(max(0, x(mean) - left)))\""
          + " height=\"14\" fill=\"#9ecae1\"/>")
      for scan in scans {
        guard let dice = dice(variant, scan) else { continue }
        parts.append(
          "<circle cx=\"\(number(x(dice)))\" cy=\"\(number(y + 10))\" r=\"3\" fill=\"#08519c\">"
            + "<title>\(HTMLText.escaped(scan)) \(DecimalText.fixed(dice, 4))</title></circle>")
      }
      parts.append(
        "<text x=\"\(number(left + width + 12))\" y=\"\(number(y + 14))\">"
          + "\(DecimalText.fixed(mean, 4))</text>")
    }
    for tick in stride(from: low, through: high + 1e-9, by: 0.05) {
      parts.append(
        "<text x=\"\(number(x(tick)))\" y=\"\(number(height - 8))\" text-anchor=\"middle\" "
          + "fill=\"#737373\">\(DecimalText.fixed(tick, 2))</text>")
    }
    return parts.joined(separator: "\n") + "\n</svg>\n"
  }
}
