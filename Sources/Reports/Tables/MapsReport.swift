import Anatomy
import Foundation

/// What became of each label map that an atlas was built from: as a table, and as warnings.
package struct MapsReport: Sendable {
  private let reports: [AtlasBuilder.MapReport]
  private let mostClipped: Double

  package init(_ reports: [AtlasBuilder.MapReport], isHead: Bool) {
    self.reports = reports
    mostClipped = isHead ? Self.mostClippedOfHeads : Self.mostClipped
  }

  /// Root mean squares of the fit above this many times the median look wrong.
  static let poorFit = 3.0
  /// Fits better than this never look wrong, in mm.
  static let goodFit = 1.0
  /// Share of labelled voxels outside the grid above which a map looks wrong: the standard grid holds no necks.
  static let mostClippedOfHeads = 0.5
  static let mostClipped = 0.05
  /// Maps that are warned about one by one.
  static let mostWarnings = 20

  package static let columns = ["map", "fit_rms_mm", "clipped_share", "cut_faces", "absent"]

  /// A row for each map, `columns` first.
  package var rows: [[String?]] {
    [Self.columns]
      + reports.map { report in
        [
          LabelMapFiles.name(of: report.path), DecimalText.fixed(report.rms, 3),
          DecimalText.fixed(report.clipped, 4), "\(report.cutFaces)",
          report.absent.isEmpty ? nil : report.absent.joined(separator: ", "),
        ]
      }
  }

  /// The rows as lines for people, columns aligned.
  package var text: String {
    let table = rows.map { $0.map { $0 ?? "-" } }
    let widths = Self.columns.indices.map { column in table.map { $0[column].count }.max() ?? 0 }
    return table.map { row in
      let fields = row.indices.map { column -> String in
        let space = String(repeating: " ", count: widths[column] - row[column].count)
        if column == row.count - 1 { return row[column] }
        return column == 0 ? row[column] + space : space + row[column]
      }
      return fields.joined(separator: "  ")
    }.joined(separator: "\n")
  }

  /// What looks wrong, a sentence for each structure that no map holds and for each doubtful map.
  package var warnings: [String] {
    var result: [String] = []
    let nowhere = Set(
      (reports.first?.absent ?? []).filter { name in
        reports.allSatisfy { $0.absent.contains(name) }
      })
    if !nowhere.isEmpty {
      result.append(
        "no map holds \(nowhere.sorted().joined(separator: ", ")); the atlas will not know where "
          + "to expect it")
    }
    if reports.count == 1 {
      result.append("only one label map: the atlas is that map, smoothed, and knows no variation")
    }
    let sorted = reports.map(\.rms).sorted()
    let median = sorted.isEmpty ? 0 : sorted[sorted.count / 2]
    let doubts = reports.compactMap { report -> String? in
      let words = faults(of: report, median: median, nowhere: nowhere)
      if words.isEmpty { return nil }
      return "\(LabelMapFiles.name(of: report.path)): \(words.joined(separator: "; "))"
    }
    result += doubts.prefix(Self.mostWarnings)
    if doubts.count > Self.mostWarnings {
      result.append("\(doubts.count - Self.mostWarnings) more maps look wrong; see maps.tsv")
    }
    return result
  }

  private func faults(
    of report: AtlasBuilder.MapReport, median: Double, nowhere: Set<String>
  ) -> [String] {
    var words: [String] = []
    let absent = report.absent.filter { !nowhere.contains($0) }
    if !absent.isEmpty { words.append("lacks \(absent.joined(separator: ", "))") }
    if report.rms > max(Self.goodFit, Self.poorFit * median) {
      words.append(
        "its structures' centres stay \(DecimalText.fixed(report.rms, 1)) mm from where they "
          + "should be, against \(DecimalText.fixed(median, 1)) mm in most maps")
    }
    if report.clipped > mostClipped {
      words.append(
        "\(DecimalText.fixed(100 * report.clipped, 0)) % of what is labelled lies outside the grid")
    }
    return words
  }
}
