import Imaging

/// Labels with those of both sides as one: a left caudate nucleus looks like a right one, and which of the two it is
/// the location prior knows.
package struct SideMerge: Hashable, Sendable {
  /// For each label, its place among the merged ones.
  package let channelOf: [Int]
  /// Number of merged labels.
  package let count: Int
  /// The same where everything but the structures of interest has been taken off: other labels are background.
  package let strippedChannelOf: [Int]

  package init(_ table: LabelTable) {
    var channels = [Int](repeating: -1, count: table.count)
    var count = 0
    for label in 0..<table.count {
      if let partner = table.partnerOfLabel[label], channels[partner] >= 0 {
        channels[label] = channels[partner]
      } else {
        channels[label] = count
        count += 1
      }
    }
    channelOf = channels
    self.count = count
    strippedChannelOf = zip(table.isOfInterest, channels).map { $0 ? $1 : channels[0] }
  }

  /// 16 hexadecimal digits that tell merges apart.
  var digest: String { LabelTable.digest([channelOf, strippedChannelOf].map { "\($0)" }) }

  func channels(_ kind: ScanKind) -> [Int] { kind == .stripped ? strippedChannelOf : channelOf }
}
