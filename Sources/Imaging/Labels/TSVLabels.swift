/// Tab-separated label tables: BIDS's `index`, `name`, `abbreviation`, `color`, `mapping`, and segpipe's
/// `group`, `partner`, `sources`.
///
/// Columns come in any order; unknown ones are ignored; only `index` and `name` must be there. `n/a` or
/// nothing stands for a missing value. A missing group is the label's name, a missing colour a distinct one.
enum TSVLabels {
  static let columns = [
    "index", "name", "abbreviation", "color", "mapping", "group", "partner", "sources",
  ]

  static func read(_ lines: [TextLine], file: String?) throws -> [LabelRow] {
    let body = lines.drop { $0.text.hasPrefix("#") }
    guard let header = body.first else { return [] }
    let names = split(header.text).map { $0.lowercased() }
    var places: [String: Int] = [:]
    for (place, name) in names.enumerated() where columns.contains(name) {
      if places.updateValue(place, forKey: name) != nil {
        throw LabelTableError(file: file, line: header.number, .repeatedColumn(name))
      }
    }
    for name in ["index", "name"] where places[name] == nil {
      throw LabelTableError(file: file, line: header.number, .missingColumn(name))
    }
    return try body.dropFirst().map { line in
      let row = LabelFields(file: file, line: line.number, fields: split(line.text))
      guard row.fields.count == names.count else {
        throw row.error(.fieldCount(found: row.fields.count, expected: "\(names.count)"))
      }
      return LabelRow(label: try label(row, places), line: line.number)
    }
  }

  private static func label(_ row: LabelFields, _ places: [String: Int]) throws -> Label {
    func value(_ column: String) -> String? {
      guard let place = places[column] else { return nil }
      let text = row.fields[place]
      return text.isEmpty || text == "n/a" ? nil : text
    }
    let index = try row.index(value("index") ?? "n/a", column: "index")
    guard let name = value("name") else { throw row.error(.emptyName) }
    var color = LabelColor.distinct(index)
    if let text = value("color") {
      guard let given = LabelColor(hexadecimal: text) else {
        throw row.error(.notAColor(text: text))
      }
      color = given
    }
    return Label(
      index: index, name: name, abbreviation: value("abbreviation"), color: color,
      mapping: try value("mapping").map { try row.number($0, column: "mapping") },
      group: value("group") ?? name,
      partner: try value("partner").map { try row.index($0, column: "partner") },
      sources: try (value("sources") ?? "").split(separator: ",").map {
        try row.index($0.trimmedOfSpaces, column: "sources")
      })
  }

  private static func split(_ line: String) -> [String] {
    line.split(separator: "\t", omittingEmptySubsequences: false).map(\.trimmedOfSpaces)
  }

  static func lines(_ labels: [Label]) -> [String] {
    [columns.joined(separator: "\t")]
      + labels.map { label in
        let fields: [String?] = [
          "\(label.index)", label.name, label.abbreviation, label.color.hexadecimal,
          label.mapping.map { "\($0)" }, label.group, label.partner.map { "\($0)" },
          label.sources.isEmpty ? nil : label.sources.map { "\($0)" }.joined(separator: ","),
        ]
        return fields.map { $0 ?? "n/a" }.joined(separator: "\t")
      }
  }
}
