/// Tables of rows and columns as files.
package enum DelimitedText: String, CaseIterable, Sendable {
  /// Fields separated by tabs, as BIDS has them.
  case tsv
  /// Fields separated by commas, quoted where needed (RFC 4180).
  case csv

  /// By a path's extension; nil for any but `.tsv` and `.csv`.
  package init?(extensionOf path: String) {
    let name = path.lowercased()
    if name.hasSuffix(".tsv") {
      self = .tsv
    } else if name.hasSuffix(".csv") {
      self = .csv
    } else {
      return nil
    }
  }

  /// The rows as UTF-8, each ended by a line feed. Missing values are `n/a`.
  package func encoded(_ rows: [[String?]]) -> [UInt8] {
    let separator = self == .tsv ? "\t" : ","
    let lines = rows.map { row in
      row.map { escaped($0 ?? "n/a") }.joined(separator: separator) + "\n"
    }
    return Array(lines.joined().utf8)
  }

  private func escaped(_ field: String) -> String {
    switch self {
    case .tsv:
      // The format has no way to write these.
      return String(
        String.UnicodeScalarView(
          field.unicodeScalars.map {
            $0 == "\t" || $0 == "\n" || $0 == "\r" ? " " : $0
          }))
    case .csv:
      let special = field.unicodeScalars.contains { ",\"\n\r".unicodeScalars.contains($0) }
      return special ? "\"" + field.replacing("\"", with: "\"\"") + "\"" : field
    }
  }
}
