import Foundation

/// A row for each scan of a study.
///
/// | column | meaning |
/// |---|---|
/// | subject | name of the scan |
/// | status | `done`, `failed`, or `missing` where no run has come to it, or none by these settings |
/// | quality | the worst verdict of its checks: PASS, WARN or FAIL |
/// | information_nats | how much the atlas explains of the intensities |
/// | outside_share | expected anatomy outside the field of view, 0 to 1 |
/// | doubts | checks that did not pass |
/// | exit_code, error | why it failed |
package struct StudySummary: Sendable {
  package static let columns = [
    "subject", "status", "quality", "information_nats", "outside_share", "doubts", "exit_code",
    "error",
  ]

  /// The first line of a file, by which one of these tables is known.
  package static let firstLine = columns.joined(separator: "\t") + "\n"

  private var rows: [[String?]] = []

  package init() {}

  /// A scan that was segmented; `sidecar` is the JSON beside its label map.
  package mutating func add(subject: String, sidecar: Data) {
    guard let quality = SidecarContent(sidecar)?.quality else {
      return addMissing(subject: subject)
    }
    let doubts = quality.doubts
    rows.append([
      subject, "done", quality.verdict, DecimalText.fixed(quality.information, 3),
      DecimalText.fixed(quality.outsideView, 4),
      doubts.isEmpty ? nil : doubts.joined(separator: ", "), "0", nil,
    ])
  }

  /// A scan that could not be.
  package mutating func add(subject: String, failure: String, status: Int32) {
    rows.append([subject, "failed", nil, nil, nil, nil, "\(status)", failure])
  }

  /// A scan that nobody has come to.
  package mutating func addMissing(subject: String) {
    rows.append([subject, "missing", nil, nil, nil, nil, nil, nil])
  }

  /// The table as a file's bytes.
  package func encoded(as format: DelimitedText) -> [UInt8] {
    format.encoded([Self.columns] + rows)
  }
}
