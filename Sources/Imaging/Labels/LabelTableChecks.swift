/// What a set of labels must satisfy to be a table.
enum LabelTableChecks {
  /// The labels sorted, background first, or the first thing wrong with them.
  static func checked(_ rows: [LabelRow], file: String?) throws -> [Label] {
    try checkEach(rows, file: file)
    try checkValues(rows, file: file)
    try checkPartners(rows, file: file)
    var labels = rows.map(\.label).sorted { $0.index < $1.index }
    if labels.first?.index != 0 { labels.insert(.background, at: 0) }
    return labels
  }

  private static func checkEach(_ rows: [LabelRow], file: String?) throws {
    for row in rows {
      let label = row.label
      func fail(_ problem: LabelTableError.Problem) -> LabelTableError {
        LabelTableError(file: file, line: row.line, problem)
      }
      for value in [label.index] + label.sources where value < 0 {
        throw fail(.negativeIndex(Int(value)))
      }
      for text in [label.name, label.group, label.abbreviation ?? "-"] {
        if text.isEmpty { throw fail(.emptyName) }
        if text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) {
          throw fail(.controlCharacter(in: text))
        }
      }
      if let mapping = label.mapping, BIDSTissue(rawValue: mapping) == nil {
        throw fail(.mappingOutOfRange(mapping))
      }
      if label.index == 0, label.partner != nil { throw fail(.backgroundHasPartner) }
    }
  }

  /// No value may stand for two labels.
  private static func checkValues(_ rows: [LabelRow], file: String?) throws {
    var owners: [Int32: LabelRow] = [:]
    for row in rows {
      for value in [row.label.index] + row.label.sources {
        if let first = owners[value] {
          throw LabelTableError(
            file: file, line: row.line,
            .repeatedValue(value, first: first.label.name, firstLine: first.line))
        }
        owners[value] = row
      }
    }
    if let row = owners[0], row.label.index != 0 {
      throw LabelTableError(
        file: file, line: row.line, .backgroundMerged(into: row.label.name))
    }
  }

  /// A partner's partner must be the label itself.
  private static func checkPartners(_ rows: [LabelRow], file: String?) throws {
    let byIndex = Dictionary(rows.map { ($0.label.index, $0.label) }) { first, _ in first }
    for row in rows {
      guard let partner = row.label.partner else { continue }
      if partner == row.label.index || byIndex[partner]?.partner != row.label.index {
        throw LabelTableError(
          file: file, line: row.line, .unpairedPartner(label: row.label.index, partner: partner))
      }
    }
  }
}
