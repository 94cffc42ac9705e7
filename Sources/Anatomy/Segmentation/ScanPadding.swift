import Imaging

/// What fills a scan where nothing was measured, or where skull stripping took something off: zero, unless all
/// intensities were shifted afterwards, as z-scores are; or values around zero, where the scan was resampled by splines
/// or a sinc, which ring beside edges, or noise was added.
struct ScanPadding {
  /// The intensity that means nothing is there.
  let value: Float
  /// Intensities below this mean the same; nil: zeros are there already.
  private let end: Float?

  /// Share of a scan's voxels that have the lowest intensity exactly, above which it is padding.
  private static let leastShare = 0.3
  /// The most that values around zero differ from it, as a share of the highest intensity.
  private static let widest: Float = 0.02

  /// The lowest intensity, if it is negative and that of many voxels exactly; else zero. All values up to a little more
  /// than zero count as zero if some are negative and most of these are a little less.
  init(of voxels: [Float]) {
    var (lowest, count): (Float, Int) = (0, 0)
    for value in voxels where value <= lowest && value.isFinite {
      count = value == lowest ? count + 1 : 1
      lowest = value
    }
    if lowest < 0 && Double(count) > Self.leastShare * Double(voxels.count) {
      (value, end) = (lowest, lowest)
    } else if lowest < 0, let scale = IntensityScale(voxels) {
      let margin = Self.widest * scale.high
      let negative = voxels.count { $0 < 0 }
      let near = voxels.count { $0 < 0 && $0 > -margin }
      (value, end) = (0, 2 * near > negative ? margin : nil)
    } else {
      (value, end) = (0, nil)
    }
  }

  /// Whether something has been added to all intensities.
  var isShift: Bool { value != 0 }

  /// What is done about it, in words; nil: nothing.
  var words: String? {
    guard let end else { return nil }
    return isShift ? "padded with \(value)" : "what is below \(end) counts as zero"
  }

  /// The scan, shifted if need be, with zero wherever nothing is.
  func zeroed(_ scan: consuming Volume<Float>) -> Volume<Float> {
    guard let end else { return scan }
    return Volume(grid: scan.grid, voxels: scan.voxels.map { $0 < end ? 0 : $0 - value })
  }
}
