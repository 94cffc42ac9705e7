/// Tissue groups and partners from names, for formats with no columns for them.
enum LabelSides {
  private static let pairs = [
    ("Left-", "Right-"), ("left-", "right-"), ("Left_", "Right_"), ("left_", "right_"),
    ("Left ", "Right "), ("left ", "right "), ("ctx-lh-", "ctx-rh-"), ("wm-lh-", "wm-rh-"),
    ("ctx_lh_", "ctx_rh_"), ("wm_lh_", "wm_rh_"),
  ]

  /// The rows with partners paired where both sides are there, each side once, and groups named without
  /// the side.
  static func completed(_ rows: [LabelRow]) -> [LabelRow] {
    var byName: [String: [Int]] = [:]
    for (place, row) in rows.enumerated() { byName[row.label.name, default: []].append(place) }
    var completed = rows
    for (name, places) in byName {
      guard places.count == 1, let left = places.first, let (side, other) = side(of: name),
        let right = byName[other + name.dropFirst(side.count)], right.count == 1
      else { continue }
      let group = String(name.dropFirst(side.count))
      for (one, partner) in [(left, right[0]), (right[0], left)] {
        completed[one].label.partner = rows[partner].label.index
        completed[one].label.group = group
      }
    }
    return completed
  }

  private static func side(of name: String) -> (left: String, right: String)? {
    pairs.first { name.hasPrefix($0.0) && name.count > $0.0.count }
  }
}
