import Imaging

/// What fills a scan where nothing was measured, or where skull stripping took something off: zero; another intensity,
/// where all were shifted afterwards, as z-scores are; or values around zero, where the scan was resampled by splines
/// or a sinc, which ring beside edges, or noise was added.
struct ScanPadding {
  /// The intensity that means nothing is there.
  let value: Float
  /// Intensities up to this mean the same; nil: zeros are there already.
  private let last: Float?
  /// Whether it may be a CT's air: Hounsfield units have no zero that factors could leave alone.
  let isAir: Bool

  /// Share of a scan's voxels that have the lowest intensity exactly, above which it is padding.
  private static let leastShare = 0.3
  /// The most that values around zero differ from it, as a share of the highest intensity.
  private static let widest: Float = 0.02
  /// Above air in Hounsfield units, -1000 or whatever the field of view was filled with below that.
  private static let air: Float = -500

  /// The lowest intensity, if it is that of many voxels exactly; else zero. All values up to a little more than zero count
  /// as zero if some are negative and most of these are a little less.
  init(of voxels: [Float]) {
    var (lowest, count): (Float, Int) = (.infinity, 0)
    for value in voxels where value <= lowest && value.isFinite {
      count = value == lowest ? count + 1 : 1
      lowest = value
    }
    let isFrequent = Double(count) > Self.leastShare * Double(voxels.count)
    if isFrequent && lowest != 0 {
      (value, last, isAir) = (lowest, lowest, lowest < Self.air)
    } else if lowest < 0, let scale = IntensityScale(voxels) {
      let margin = Self.widest * scale.high
      let negative = voxels.count { $0 < 0 }
      let near = voxels.count { $0 < 0 && $0 > -margin }
      (value, last, isAir) = (0, 2 * near > negative ? margin : nil, false)
    } else {
      (value, last, isAir) = (0, nil, false)
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
