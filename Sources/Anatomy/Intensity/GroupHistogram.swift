/// Posteriors of tissue groups summed over voxels, by row of intensity.
package struct GroupHistogram: Equatable, Sendable {
  /// `IntensityScale.rows * lanes` sums.
  private(set) var counts: [Double]
  /// The number of tissue groups, padded; what is beyond the groups is 0.
  let lanes: Int

  /// The rows of intensities other than zero.
  static let intensities = 1...IntensityScale.rows - 2

  package init(lanes: Int) {
    counts = [Double](repeating: 0, count: IntensityScale.rows * lanes)
    self.lanes = lanes
  }

  package subscript(row: Int, group: Int) -> Double {
    get { counts[row * lanes + group] }
    set { counts[row * lanes + group] = newValue }
  }

  /// Adds sums in single precision, rows x lanes.
  mutating func add(_ part: [Float]) {
    for i in counts.indices { counts[i] += Double(part[i]) }
  }

  /// A group's sum over some rows.
  func sum(of group: Int, in rows: ClosedRange<Int> = intensities) -> Double {
    rows.reduce(0) { $0 + self[$1, group] }
  }

  /// Share of a group's intensities other than zero that lies in some rows.
  func share(of group: Int, in rows: ClosedRange<Int>) -> Double {
    sum(of: group, in: rows) / max(sum(of: group), 1e-9)
  }

  /// The row of intensity other than zero up to which a share of some groups lies together; nil where they have
  /// nothing.
  func quantile(_ share: Double, of groups: [Int]) -> Int? {
    quantiles([share], of: groups)?.first
  }

  /// The same for several shares.
  func quantiles(_ shares: [Double], of groups: [Int]) -> [Int]? {
    let counts = Self.intensities.map { row in groups.reduce(0) { $0 + self[row, $1] } }
    let total = counts.reduce(0, +)
    guard total > 0 else { return nil }
    return shares.map { share in
      var sum = 0.0
      let index = counts.firstIndex {
        sum += $0
        return sum >= share * total
      }
      return Self.intensities.lowerBound + (index ?? counts.count - 1)
    }
  }
}
