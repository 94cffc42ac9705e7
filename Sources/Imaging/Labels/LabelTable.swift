/// The structures of a set of label maps: names, colours, tissue groups and sides.
///
/// Background (value 0) comes first, then the others by ascending value. A label's place in that order
/// is its position, which is also its channel in a location prior.
package struct LabelTable: Equatable, Sendable {
  /// Background first, then ascending `index`.
  package let labels: [Label]
  /// Tissue groups in order of first appearance; background's is the first.
  package let groups: [String]
  /// For each label, its place in `groups`.
  package let groupOfLabel: [Int]
  /// For each label, the position of its partner on the other side, or nil.
  package let partnerOfLabel: [Int?]

  /// Positions of the values below `denseLimit`, -1 where no label has the value: one load a voxel.
  private let dense: [Int32]
  private let sparse: [Int32: Int]
  private static let denseLimit = 1 << 16

  /// Sorts the labels, and puts a background before them where there is none.
  ///
  /// - Throws: `LabelTableError` for a negative, repeated or half-paired value, a BIDS mapping outside
  ///   0...11, an empty name, or a name with control characters.
  package init(labels: [Label]) throws {
    try self.init(rows: labels.map { LabelRow(label: $0, line: nil) }, file: nil)
  }

  /// As above, for labels read from lines of a file, which errors then name.
  init(rows: [LabelRow], file: String?) throws {
    let labels = try LabelTableChecks.checked(rows, file: file)
    var groups: [String] = []
    var groupNumbers: [String: Int] = [:]
    var values: [Int32: Int] = [:]
    groupOfLabel = labels.map { label in
      if let known = groupNumbers[label.group] { return known }
      groups.append(label.group)
      groupNumbers[label.group] = groups.count - 1
      return groups.count - 1
    }
    for (position, label) in labels.enumerated() {
      for value in [label.index] + label.sources { values[value] = position }
    }
    var dense: [Int32] = []
    for (value, position) in values where Int(value) < Self.denseLimit {
      let missing = Int(value) + 1 - dense.count
      if missing > 0 { dense.append(contentsOf: repeatElement(-1, count: missing)) }
      dense[Int(value)] = Int32(position)
    }
    self.labels = labels
    self.groups = groups
    self.dense = dense
    partnerOfLabel = labels.map { label in label.partner.flatMap { values[$0] } }
    sparse = values.filter { Int($0.key) >= Self.denseLimit }
  }

  /// Number of labels, background among them.
  package var count: Int { labels.count }

  /// Whether any label has a partner on the other side.
  package var hasPartners: Bool { partnerOfLabel.contains { $0 != nil } }

  /// The position of the label that a value of a label map stands for: its own or a merged one's.
  package func position(of value: Int32) -> Int? {
    if value >= 0, Int(value) < dense.count {
      let position = dense[Int(value)]
      return position < 0 ? nil : Int(position)
    }
    return sparse.isEmpty ? nil : sparse[value]
  }

  /// The label that a value of a label map stands for.
  package func label(of value: Int32) -> Label? { position(of: value).map { labels[$0] } }
}

/// A label and the line of the file it came from.
struct LabelRow {
  var label: Label
  var line: Int?
}
