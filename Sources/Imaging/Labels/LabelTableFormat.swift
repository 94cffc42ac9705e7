/// The files that label tables come in.
package enum LabelTableFormat: String, CaseIterable, Sendable {
  /// Tab-separated with named columns, as BIDS has it: the format that loses nothing.
  case tsv
  /// FreeSurfer's colour table, `index name R G B A`.
  case freesurfer
  /// FastSurfer's, `ID LabelName R G B A` with tabs. Read only.
  case fastsurfer
  /// ITK-SNAP's label descriptions, `index R G B A visible mesh "name"`.
  case itksnap
  /// 3D Slicer's colour table, `index name R G B A`; read as FreeSurfer's is.
  case slicer

  /// The format that a path's extension stands for when writing, or nil.
  package init?(extensionOf path: String) {
    guard let name = path.split(separator: "/").last, let dot = name.lastIndex(of: ".") else {
      return nil
    }
    switch name[name.index(after: dot)...].lowercased() {
    case "tsv": self = .tsv
    case "txt", "lut": self = .freesurfer
    case "label", "lbl": self = .itksnap
    case "ctbl": self = .slicer
    default: return nil
    }
  }

  /// Formats that tables can be written in.
  package static let writable: [LabelTableFormat] = [.tsv, .freesurfer, .itksnap, .slicer]

  /// The format of a file, by what it says: its header line, its comments, its first row.
  static func sniffed(_ lines: [TextLine]) -> LabelTableFormat? {
    let comments = lines.filter { $0.text.hasPrefix("#") }
    if comments.contains(where: { $0.text.lowercased().contains("itk-snap") }) { return .itksnap }
    guard let first = lines.first(where: { !$0.text.hasPrefix("#") }) else { return nil }
    let columns = first.text.split(separator: "\t", omittingEmptySubsequences: false)
      .map { $0.trimmedOfSpaces.lowercased() }
    if columns.contains("index"), columns.contains("name") { return .tsv }
    if columns.first == "id", columns.contains("labelname") { return .fastsurfer }
    let words = first.text.split(whereSeparator: \.isWhitespace)
    guard words.count >= 5, words[0].isWholeNumber else { return nil }
    if first.text.trimmedOfSpaces.hasSuffix("\""), words[1...3].allSatisfy(\.isWholeNumber) {
      return .itksnap
    }
    return words[2...4].allSatisfy(\.isWholeNumber) ? .freesurfer : nil
  }
}

extension StringProtocol {
  /// Without spaces and tabs at either end.
  var trimmedOfSpaces: String {
    let space: (Character) -> Bool = { $0 == " " || $0 == "\t" }
    guard let first = firstIndex(where: { !space($0) }),
      let last = lastIndex(where: { !space($0) })
    else { return "" }
    return String(self[first...last])
  }

  /// Whether this reads as an integer, signed or not.
  var isWholeNumber: Bool { Int(self) != nil }
}
