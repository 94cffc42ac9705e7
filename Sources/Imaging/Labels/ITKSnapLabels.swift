/// ITK-SNAP's label descriptions: `index R G B A visible mesh "name"`, `#` before comments.
enum ITKSnapLabels {
  static func read(_ lines: [TextLine], file: String?) throws -> [LabelRow] {
    let labels = try lines.filter { !$0.text.trimmedOfSpaces.hasPrefix("#") }.map { line in
      let words = line.text.split(
        maxSplits: 7, omittingEmptySubsequences: true, whereSeparator: \.isWhitespace
      ).map(\.trimmedOfSpaces)
      let row = LabelFields(file: file, line: line.number, fields: words)
      guard words.count == 8 else {
        throw row.error(
          .fieldCount(found: words.count, expected: "IDX, R, G, B, A, VIS, MSH and \"LABEL\""))
      }
      let name = unquoted(words[7])
      return LabelRow(
        label: Label(
          index: try row.index(0, column: "IDX"), name: name, color: try row.color(from: 1),
          group: name), line: line.number)
    }
    return LabelSides.completed(labels)
  }

  private static func unquoted(_ text: String) -> String {
    guard text.utf8.count >= 2, text.hasPrefix("\""), text.hasSuffix("\"") else { return text }
    return String(text.dropFirst().dropLast()).replacing("\\\"", with: "\"")
  }

  static func lines(_ labels: [Label]) -> [String] {
    let rule = String(repeating: "#", count: 48)
    let head = [
      rule, "# ITK-SnAP Label Description File, \(LabelTable.writer)", "# File format:",
      "# IDX   -R-  -G-  -B-  -A--  VIS MSH  LABEL", "# Fields:",
      "#    IDX:   Zero-based index", "#    -R-:   Red color component (0..255)",
      "#    -G-:   Green color component (0..255)", "#    -B-:   Blue color component (0..255)",
      "#    -A-:   Label transparency (0.00 .. 1.00)",
      "#    VIS:   Label visibility (0 or 1)", "#    IDX:   Label mesh visibility (0 or 1)",
      "#  LABEL:   Label description", rule,
    ]
    return head
      + labels.map { label in
        let color = label.color
        let numbers = [Int(label.index), Int(color.red), Int(color.green), Int(color.blue)]
        let shown = label.index == 0 ? "0" : "1"
        return numbers.map { "\($0)".padded(to: 5, left: true) }.joined()
          + "        \(shown)  \(shown)  \(shown)    "
          + "\"\(label.name.replacing("\"", with: "\\\""))\""
      }
  }
}
