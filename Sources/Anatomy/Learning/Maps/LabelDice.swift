import Imaging
import Parallel

/// How well two label maps on one grid agree, label by label.
package struct LabelDice: Equatable, Sendable {
  /// Dice of each label of the table, 0...1; nil for background and for labels that neither map
  /// has.
  package let labels: [Double?]
  /// Mean Dice of the labels of each tissue group of the table; nil for groups with none.
  package let groups: [Double?]
  /// Mean over labels; nil when there are none.
  package let mean: Double?

  /// Compares positions in a table, voxel by voxel; those that either map lacks
  /// (`ChannelMap.missing`) do not count. Both have as many voxels.
  package init(_ first: [UInt8], _ second: [UInt8], table: LabelTable) {
    precondition(first.count == second.count, "\(first.count) and \(second.count) voxels")
    let size = 1 << 18
    let parts = Parallel.map((first.count + size - 1) / size) { part in
      Self.counts(first, second, part * size..<min(first.count, (part + 1) * size))
    }
    var (sums, shared) = ([Int](repeating: 0, count: 256), [Int](repeating: 0, count: 256))
    for part in parts {
      for label in 0..<256 {
        sums[label] += part.sums[label]
        shared[label] += part.shared[label]
      }
    }
    let dice = (0..<table.count).map { label -> Double? in
      label == 0 || sums[label] == 0 ? nil : 2 * Double(shared[label]) / Double(sums[label])
    }
    labels = dice
    groups = table.groups.indices.map { group in
      Self.mean(dice.indices.filter { table.groupOfLabel[$0] == group }.map { dice[$0] })
    }
    mean = Self.mean(dice)
  }

  private static func mean(_ values: [Double?]) -> Double? {
    let found = values.compactMap { $0 }
    return found.isEmpty ? nil : found.reduce(0, +) / Double(found.count)
  }

  /// Voxels of each label in both maps together, and where they agree.
  private static func counts(
    _ first: [UInt8], _ second: [UInt8], _ range: Range<Int>
  ) -> (sums: [Int], shared: [Int]) {
    var (sums, shared) = ([Int](repeating: 0, count: 256), [Int](repeating: 0, count: 256))
    for voxel in range {
      let (a, b) = (Int(first[voxel]), Int(second[voxel]))
      guard a != Int(ChannelMap.missing), b != Int(ChannelMap.missing) else { continue }
      sums[a] += 1
      sums[b] += 1
      if a == b { shared[a] += 1 }
    }
    return (sums, shared)
  }
}
