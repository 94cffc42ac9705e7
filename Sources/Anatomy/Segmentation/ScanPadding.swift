import Imaging

/// What fills a scan where nothing was measured, or where skull stripping took something off: zero; another intensity,
/// where all were shifted afterwards, as z-scores are; zero among intensities that were shifted, as z-scores inside a
/// mask are; or values around zero, where the scan was resampled by splines or a sinc, which ring beside edges, or noise
/// was added; what then lay below zero may have been set to zero. Or no number at all.
struct ScanPadding {
  /// The intensity that means no signal.
  let value: Float
  private let kind: Kind
  /// Whether voxels that are no number lie where nothing was measured, rather than here and there.
  private let isMissing: Bool
  /// The intensities to tell apart in a CT; nil: it is none.
  let hounsfield: ClosedRange<Float>?

  private enum Kind: Equatable {
    /// Zeros, and no signal is zero.
    case zeros
    /// Intensities up to this.
    case upTo(Float)
    /// Zeros of a mask, though no signal is `value` inside it.
    case mask
    /// Nowhere is nothing, but no signal is `value`.
    case shift
  }

  /// Share of a scan's voxels that have the lowest intensity exactly, above which it is padding.
  private static let leastShare = 0.3
  /// The most that values around zero differ from it, as a share of the highest intensity.
  private static let widest: Float = 0.02
  /// Values up to this share of the highest intensity are the tails of what rings.
  private static let tail: Float = 0.001
  /// Least share of a scan's voxels in such tails, and in what is missing as padding is.
  private static let leastOfTails = 0.05
  private static let leastMissing = 0.1
  /// Least size of the lowest intensity, as a share of the highest, from which on intensities around zero were
  /// shifted, rather than that they reach below zero by noise.
  private static let leastShift: Float = 0.5
  /// Share of the range of intensities above the lowest that is a whole head's air.
  private static let airRange: Float = 0.05

  /// The lowest intensity, if it is that of many voxels exactly; else zero. All values up to a little more than zero count
  /// as zero if some are negative and most of these are a little less. If many are far below zero, no signal is about the
  /// lowest value where zeros are a mask's or many voxels, a head's air, are that dark.
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
    hounsfield = HounsfieldUnits.range(of: voxels, lowest: lowest)
    let isFrequent = Double(count) > Self.leastShare * Double(voxels.count)
    if isFrequent && lowest != 0 {
      (value, kind) = (lowest, .upTo(lowest))
    } else if lowest < 0, hounsfield == nil, let scale = IntensityScale(voxels) {
      let margin = Self.widest * scale.high
      let negative = voxels.count { $0 < 0 }
      let near = voxels.count { $0 < 0 && $0 > -margin }
      if 2 * near > negative {
        (value, kind) = (0, .upTo(margin))
      } else if let shift = Self.shift(voxels, scale) {
        (value, kind) = (scale.low, shift)
      } else {
        (value, kind) = (0, .zeros)
      }
    } else if isFrequent, let margin = Self.cutRinging(voxels, highest: highest) {
      (value, kind) = (0, .upTo(margin))
    } else {
      (value, kind) = (0, .zeros)
    }
  }

  /// How intensities that are a scan's from no signal on have been shifted, if some are far below zero; nil: they have
  /// not.
  private static func shift(_ voxels: [Float], _ scale: IntensityScale) -> Kind? {
    let least = leastShare * Double(voxels.count)
    if Double(voxels.count { $0 == 0 }) > least {
      return -scale.low > leastShift * scale.high ? .mask : nil
    }
    let dark = scale.low + airRange * (scale.high - scale.low)
    return Double(voxels.count { $0 <= dark }) > least ? .shift : nil
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
    switch kind {
    case .upTo(value): "padded with \(value)"
    case .upTo(let last): "what is up to \(last) counts as zero"
    case .mask, .shift: "no signal is taken to be \(value), about the lowest intensity"
    case .zeros: isMissing ? "what is no number counts as zero" : nil
    }
  }

  /// The scan, shifted if need be, with zero wherever nothing is.
  func zeroed(_ scan: consuming Volume<Float>) -> Volume<Float> {
    guard kind != .zeros || isMissing else { return scan }
    return Volume(
      grid: scan.grid,
      voxels: scan.voxels.map { voxel in
        if isMissing && voxel.isNaN { return 0 }
        switch kind {
        case .zeros: return voxel
        case .upTo(let last): return voxel <= last ? 0 : voxel - value
        case .mask where voxel == 0: return 0
        case .mask, .shift:
          // What is below stays a voxel that was measured, or missing.
          return voxel.isNaN ? voxel : max(voxel - value, .leastNormalMagnitude)
        }
      })
  }
}
