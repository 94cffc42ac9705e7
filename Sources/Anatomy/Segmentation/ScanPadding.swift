import Imaging

/// What fills a scan where nothing was measured, or where skull stripping took something off: zero; another intensity,
/// where all were shifted afterwards, as z-scores are; or values around zero, where the scan was resampled by splines
/// or a sinc, which ring beside edges, or noise was added; what then lay below zero may have been set to zero.
/// Or no number at all.
struct ScanPadding {
  /// The intensity that means nothing is there.
  let value: Float
  /// Intensities up to this mean the same; nil: zeros are there already.
  private let last: Float?
  /// Whether voxels that are no number lie where nothing was measured, rather than here and there.
  private let isMissing: Bool
  /// Whether it may be a CT's air: Hounsfield units have no zero that factors could leave alone.
  let isAir: Bool

  /// Share of a scan's voxels that have the lowest intensity exactly, above which it is padding.
  private static let leastShare = 0.3
  /// The most that values around zero differ from it, as a share of the highest intensity.
  private static let widest: Float = 0.02
  /// Values up to this share of the highest intensity are the tails of what rings.
  private static let tail: Float = 0.001
  /// Least share of a scan's voxels in such tails, and in what is missing as padding is.
  private static let leastOfTails = 0.05
  private static let leastMissing = 0.1
  /// Above air in Hounsfield units, -1000 or whatever the field of view was filled with below that.
  private static let air: Float = -500

  /// The lowest intensity, if it is that of many voxels exactly; else zero. All values up to a little more than zero count
  /// as zero if some are negative and most of these are a little less.
  init(of voxels: [Float]) {
    var (lowest, count): (Float, Int) = (.infinity, 0)
    var (highest, missing): (Float, Int) = (0, 0)
    for value in voxels {
      if value <= lowest && value.isFinite {
        count = value == lowest ? count + 1 : 1
        lowest = value
      }
      if value > highest && value.isFinite { highest = value }
      if value.isNaN { missing += 1 }
    }
    isMissing = Double(missing) > Self.leastMissing * Double(voxels.count)
    let isFrequent = Double(count) > Self.leastShare * Double(voxels.count)
    if isFrequent && lowest != 0 {
      (value, last, isAir) = (lowest, lowest, lowest < Self.air)
    } else if lowest < 0, let scale = IntensityScale(voxels) {
      let margin = Self.widest * scale.high
      let negative = voxels.count { $0 < 0 }
      let near = voxels.count { $0 < 0 && $0 > -margin }
      (value, last, isAir) = (0, 2 * near > negative ? margin : nil, false)
    } else if isFrequent, let margin = Self.cutRinging(voxels, highest: highest) {
      (value, last, isAir) = (0, margin, false)
    } else {
      (value, last, isAir) = (0, nil, false)
    }
  }

  /// Up to where values beside many zeros are zero: a stripped scan that splines resampled has tails all around, half of
  /// which were negative and are zero since. Nil where few values are next to zero.
  private static func cutRinging(_ voxels: [Float], highest: Float) -> Float? {
    let tails = voxels.count { $0 > 0 && $0 <= tail * highest }
    guard Double(tails) > leastOfTails * Double(voxels.count) else { return nil }
    return IntensityScale(voxels).map { widest * $0.high }
  }

  /// What is done about it, in words; nil: nothing.
  var words: String? {
    guard let last else { return isMissing ? "what is no number counts as zero" : nil }
    return value == last ? "padded with \(value)" : "what is up to \(last) counts as zero"
  }

  /// The scan, shifted if need be, with zero wherever nothing is.
  func zeroed(_ scan: consuming Volume<Float>) -> Volume<Float> {
    guard last != nil || isMissing else { return scan }
    return Volume(
      grid: scan.grid,
      voxels: scan.voxels.map { voxel in
        if isMissing && voxel.isNaN { return 0 }
        return last.map { voxel <= $0 ? 0 : voxel - value } ?? voxel
      })
  }
}
