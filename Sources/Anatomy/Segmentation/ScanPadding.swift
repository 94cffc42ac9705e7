import Imaging

/// What fills a scan where nothing was measured, or where skull stripping took something off: zero; another intensity,
/// where all were shifted afterwards, as z-scores are; or values around zero, where the scan was resampled by splines
/// or a sinc, which ring beside edges, or noise was added.
struct ScanPadding {
  /// The intensity that means nothing is there.
  let value: Float
  /// Intensities up to this mean the same; nil: zeros are there already.
  private let last: Float?
  /// Whether intensities may have no true zero, such as those of a CT.
  let isShift: Bool

  /// Share of a scan's voxels that have the lowest intensity exactly, above which it is padding.
  private static let leastShare = 0.3
  /// The most that values around zero differ from it, as a share of the highest intensity.
  private static let widest: Float = 0.02

  /// The lowest intensity, if it is that of many voxels exactly; else zero. All values up to a little more than zero count
  /// as zero if some are negative and most of these are a little less.
  init(of voxels: [Float]) {
    var (lowest, count): (Float, Int) = (.infinity, 0)
    for value in voxels where value <= lowest && value.isFinite {
      count = value == lowest ? count + 1 : 1
      lowest = value
    }
    let isFrequent = Double(count) > Self.leastShare * Double(voxels.count)
    guard lowest < 0 || isFrequent && lowest > 0, let scale = IntensityScale(voxels) else {
      (value, last, isShift) = (0, nil, false)
      return
    }
    let margin = Self.widest * scale.high
    if isFrequent {
      (value, last, isShift) = (lowest, lowest, lowest < -margin)
    } else {
      let negative = voxels.count { $0 < 0 }
      let near = voxels.count { $0 < 0 && $0 > -margin }
      (value, last, isShift) = (0, 2 * near > negative ? margin : nil, false)
    }
  }

  /// What is done about it, in words; nil: nothing.
  var words: String? {
    guard let last else { return nil }
    return value == last ? "padded with \(value)" : "what is up to \(last) counts as zero"
  }

  /// The scan, shifted if need be, with zero wherever nothing is.
  func zeroed(_ scan: consuming Volume<Float>) -> Volume<Float> {
    guard let last else { return scan }
    return Volume(grid: scan.grid, voxels: scan.voxels.map { $0 <= last ? 0 : $0 - value })
  }
}
