/// FreeSurfer's colour tables: `index name R G B A`, separated by white space, `#` before comments. The
/// last field (0: opaque) may be missing.
enum FreeSurferLabels {
  static func read(_ lines: [TextLine], file: String?) throws -> [LabelRow] {
    let labels = try lines.filter { !$0.text.trimmedOfSpaces.hasPrefix("#") }.map { line in
      let words = line.text.split(whereSeparator: \.isWhitespace).map(String.init)
      let row = LabelFields(file: file, line: line.number, fields: words)
      guard words.count >= 5 else {
        throw row.error(.fieldCount(found: words.count, expected: "index, name, R, G, B and A"))
      }
      return LabelRow(
        label: Label(
          index: try row.index(0, column: "index"), name: words[1], color: try row.color(from: 2),
          group: words[1]), line: line.number)
    }
    return LabelSides.completed(labels)
  }

  static func lines(_ labels: [Label]) -> [String] {
    let width = labels.map(\.name.count).max() ?? 0
    let digits = labels.map { "\($0.index)".count }.max() ?? 0
    let column = max(6, digits + 1)
    return [
      "# \(LabelTable.writer)", "#No. Label Name:".padded(to: width + column) + "   R   G   B   A",
    ]
      + labels.map { label in
        let color = [label.color.red, label.color.green, label.color.blue, 0]
        return "\(label.index)".padded(to: column) + label.name.unbroken.padded(to: width)
          + color.map { "\($0)".padded(to: 4, left: true) }.joined()
      }
  }
}

/// FastSurfer's tables: a header `ID LabelName R G B A`, separated by tabs.
enum FastSurferLabels {
  static func read(_ lines: [TextLine], file: String?) throws -> [LabelRow] {
    let body = lines.drop { $0.text.hasPrefix("#") }
    let labels = try body.dropFirst().map { line in
      let fields = line.text.split(separator: "\t", omittingEmptySubsequences: false)
        .map(\.trimmedOfSpaces)
      let row = LabelFields(file: file, line: line.number, fields: fields)
      guard fields.count >= 5 else {
        throw row.error(.fieldCount(found: fields.count, expected: "ID, LabelName, R, G, B and A"))
      }
      return LabelRow(
        label: Label(
          index: try row.index(0, column: "ID"), name: fields[1], color: try row.color(from: 2),
          group: fields[1]), line: line.number)
    }
    return LabelSides.completed(labels)
  }
}

/// 3D Slicer's colour tables: as FreeSurfer's, with 255 for opaque.
enum SlicerLabels {
  static func lines(_ labels: [Label]) -> [String] {
    ["# Color table file, \(LabelTable.writer)", "# \(labels.count) values"]
      + labels.map { label in
        let opacity = label.index == 0 ? 0 : 255
        return "\(label.index) \(label.name.unbroken) "
          + "\(label.color.red) \(label.color.green) \(label.color.blue) \(opacity)"
      }
  }
}
