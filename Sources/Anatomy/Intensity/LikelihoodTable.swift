import Foundation

/// p(intensity row | tissue group), rows x lanes, as the kernels read it.
package struct LikelihoodTable: Sendable {
  package let lanes: Int
  package let groups: Int
  /// `IntensityScale.rows * lanes` densities; a row's densities share one factor, so only ratios within a
  /// row and sums over scans of one scale mean anything. Rows of density 1 say nothing.
  package private(set) var values: [Float]
  /// alpha times the sum over groups, one a row: the chance that any group is found anywhere.
  package private(set) var floor: [Float]
  package subscript(row: Int, group: Int) -> Float { values[row * lanes + group] }

  /// Probability that any group may be found where the prior has none.
  package static let alpha: Float = 1e-4

  /// A table that says nothing: the posterior is the prior.
  package init(groups: Int, lanes: Int) {
    self.groups = groups
    self.lanes = lanes
    values = [Float](repeating: 0, count: IntensityScale.rows * lanes)
    floor = []
    for row in 0..<IntensityScale.rows {
      for group in 0..<groups { values[row * lanes + group] = 1 }
    }
    finish()
  }

  /// From a density for each row and group.
  package init(groups: Int, lanes: Int, _ density: (_ row: Int, _ group: Int) -> Float) {
    self.groups = groups
    self.lanes = lanes
    values = [Float](repeating: 0, count: IntensityScale.rows * lanes)
    floor = []
    for row in 0..<IntensityScale.rows {
      for group in 0..<groups {
        values[row * lanes + group] =
          row == Int(IntensityScale.missing) ? 1 : max(density(row, group), 1e-12)
      }
    }
    finish()
  }

  /// For label maps instead of scans: row r is seen where class r is, and hardly elsewhere. Rows beyond the
  /// classes say nothing.
  package init(classes: Int, lanes: Int) {
    self.init(groups: classes, lanes: lanes) { row, group in
      row >= classes ? 1 : row == group ? 1 : 1e-4
    }
  }

  private mutating func finish() {
    floor = (0..<IntensityScale.rows).map { row in
      Self.alpha * values[row * lanes..<row * lanes + groups].reduce(0, +)
    }
  }

  /// Frequencies of rows in each group, smoothed: the likelihood without any assumption on its form.
  ///
  /// `smoothing` is the standard deviation of the Gaussian window, in rows.
  package init(histogram: GroupHistogram, groups: Int, smoothing: Double) {
    let lanes = histogram.lanes
    let rows = IntensityScale.rows
    let window = LabelCounts.gaussian(deviation: smoothing)
    let radius = window.count / 2
    // A row of a group that has almost no voxels says nothing: a uniform share worth 5 voxels.
    let share = 5.0 / Double(rows)
    var total = [Double](repeating: 5, count: lanes)
    for row in 0..<rows - 1 {
      for group in 0..<groups { total[group] += histogram[row, group] }
    }
    let perVoxel = total.map { Float(1 / $0) }
    // Sixteen groups at a time: the masses of all rows, with nothing around them, then each row's window.
    let blocks = lanes / 16
    var density = [SIMD16<Float>](repeating: .zero, count: rows * blocks)
    var masses = [SIMD16<Float>](repeating: .zero, count: rows + 4 * radius)
    for block in 0..<blocks {
      for row in 1..<rows - 1 {
        var mass = SIMD16<Float>.zero
        for lane in 0..<16 {
          let group = 16 * block + lane
          mass[lane] = Float(histogram[row, group]) * perVoxel[group]
        }
        masses[2 * radius + row] = mass
      }
      masses.withUnsafeBufferPointer { masses in
        for row in 1 - radius..<rows - 1 + radius {
          var sum = SIMD16<Float>.zero
          // The window is symmetric.
          for offset in -radius...radius {
            sum += masses[2 * radius + row + offset] * window[radius + offset]
          }
          // What would leave the range is kept at its ends.
          density[max(1, min(rows - 2, row)) * blocks + block] += sum
        }
      }
    }
    self.init(groups: groups, lanes: lanes) { row, group in
      let own =
        row == 0
        ? Float(histogram[0, group]) * perVoxel[group]
        : density[row * blocks + group / 16][group % 16]
      return own + Float(share) * perVoxel[group]
    }
  }
}
