import Imaging

/// Turns intensities into the rows of a likelihood table.
///
/// Row 0 is exactly zero (padding, or what skull stripping left), the last row is a missing voxel (not a
/// number), and the rows between divide the robust range of the scan evenly; values beyond it fall on its
/// ends.
package struct IntensityScale: Equatable, Sendable {
  /// Rows of a table.
  package static let rows = 512
  package static let zero: UInt16 = 0
  package static let missing = UInt16(rows - 1)
  /// Rows for intensities other than zero.
  package static let levels = rows - 2

  /// Intensity at the lower edge of row 1.
  package let low: Float
  /// Intensity at the upper edge of the last but one row.
  package let high: Float
  /// Whether zero means no signal, so that a factor on intensities means something.
  package let startsAtZero: Bool

  /// From the 0.1 and 99.9 percentiles of the intensities that are neither zero nor missing. The range
  /// starts at zero, which then means no signal, unless there are negative values.
  ///
  /// Nil when there is no contrast: fewer than 100 such voxels, or all of them equal.
  package init?(_ voxels: [Float]) {
    // About 400 000 voxels: a percentile needs no more. They come from all planes along each axis, as they are apart by
    // what has no factor in common with how many voxels there are.
    var step = max(1, voxels.count / 400_000)
    while voxels.count.hasCommonFactor(with: step) { step += 1 }
    var sample: [Float] = []
    for i in stride(from: 0, to: voxels.count, by: step) {
      let value = voxels[i]
      if value != 0, value.isFinite { sample.append(value) }
    }
    sample.sort()
    guard sample.count >= 100 else { return nil }
    let bottom = sample[sample.count / 1000]
    let top = sample[sample.count - 1 - sample.count / 1000]
    guard top > bottom else { return nil }
    let low = min(0, bottom)
    self.init(low: low, high: low + (top - low) * 1.05, startsAtZero: low == 0)
  }

  package init(low: Float, high: Float, startsAtZero: Bool? = nil) {
    self.low = low
    self.high = high
    self.startsAtZero = startsAtZero ?? (low == 0)
  }

  /// The same rows of intensities to which something has been added.
  func shifted(by shift: Float) -> IntensityScale {
    IntensityScale(low: low + shift, high: high + shift, startsAtZero: startsAtZero)
  }

  /// Width of a row in intensity units.
  package var width: Float { (high - low) / Float(Self.levels) }

  /// The row of an intensity.
  @inline(__always)
  package func row(_ value: Float) -> UInt16 {
    if value == 0 { return Self.zero }
    guard value == value else { return Self.missing }
    let level = (value - low) * (Float(Self.levels) / (high - low))
    return UInt16(1 + max(0, min(Float(Self.levels - 1), level)))
  }

  /// The intensity in the middle of a row between 1 and `levels`.
  package func intensity(_ row: Int) -> Float { low + (Float(row) - 0.5) * width }
}

extension Int {
  /// Whether a number above 1 divides both.
  fileprivate func hasCommonFactor(with other: Int) -> Bool {
    var (a, b) = (self, other)
    while b != 0 { (a, b) = (b, a % b) }
    return a > 1
  }
}
