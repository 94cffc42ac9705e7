import Imaging

/// What surrounds the structures of interest in a scan.
package enum ScanKind: String, Sendable, CaseIterable {
  /// The tissue that is there in the body.
  case whole
  /// Nothing: it was set to zero.
  case stripped
}

/// What is known of intensities before a scan is looked at, by tissue group: whatever the contrast, air is
/// dark and flesh is not; and stripped tissue is zero.
///
/// Acts as a Dirichlet prior on each group's distribution of intensity rows while the scan is being found
/// in the atlas. Without it, flesh may explain the air around a head, and the head a brain.
package struct KindPrior: Sendable {
  /// Pseudo-counts as shares of a group's own, summing to the prior's strength for each group that is known about and
  /// to 0 for the others.
  let shares: GroupHistogram
  private let groups: Int

  /// How many of a group's own voxels the prior is worth. What was set to zero is zero, but flesh holds dark muscle and
  /// vessels: a prior worth half of it took the scalp of T2 heads for cortex, one worth a tenth the air around a head
  /// for flesh.
  private static func strength(_ kind: ScanKind) -> Double {
    switch kind {
    case .whole: 0.2
    case .stripped: 0.5
    }
  }

  /// Rows below `dark` are dark.
  package init(
    _ kind: ScanKind, table: LabelTable, isTarget: [Bool], lanes: Int, dark: Int
  ) {
    let rows = IntensityScale.rows
    let groups = table.groups.count
    var shares = GroupHistogram(lanes: lanes)
    let zero = Int(IntensityScale.zero)
    let last = rows - 2
    let strength = Self.strength(kind)
    let holdsFlesh = table.holdsFlesh
    func spread(_ group: Int, over range: ClosedRange<Int>, zeroShare: Double) {
      for row in range {
        shares[row, group] += strength * (1 - zeroShare) / Double(range.count)
      }
      shares[zero, group] += strength * zeroShare
    }
    for group in 0..<groups {
      let members = table.labels.indices.filter { table.groupOfLabel[$0] == group }
      let isInteresting = members.contains { isTarget[$0] }
      let isBackground = members.contains(0)
      switch kind {
      case .whole:
        if isBackground {
          spread(group, over: 1...dark, zeroShare: 0.5)
        } else if holdsFlesh[group] {
          spread(group, over: dark...last, zeroShare: 0)
        }
      case .stripped:
        if !isInteresting { spread(group, over: 1...last, zeroShare: 0.99) }
      }
    }
    self.shares = shares
    self.groups = groups
  }

  /// Adds the pseudo-counts to summed posteriors.
  func added(to histogram: GroupHistogram) -> GroupHistogram {
    var result = histogram
    for group in 0..<groups {
      let sum = histogram.sum(of: group, in: 0...IntensityScale.rows - 1)
      for row in 0..<IntensityScale.rows { result[row, group] += sum * shares[row, group] }
    }
    return result
  }
}
