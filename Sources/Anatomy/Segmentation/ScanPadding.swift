import Imaging

/// What fills a scan where nothing was measured, or where skull stripping took something off: zero, unless all
/// intensities were shifted afterwards, as z-scores are.
struct ScanPadding {
  /// The intensity that means nothing is there.
  let value: Float

  /// Share of a scan's voxels that have the lowest intensity exactly, above which it is padding.
  private static let leastShare = 0.3

  /// The lowest intensity, if it is negative and that of many voxels exactly; else zero.
  init(of voxels: [Float]) {
    var (lowest, count): (Float, Int) = (0, 0)
    for value in voxels where value <= lowest && value.isFinite {
      count = value == lowest ? count + 1 : 1
      lowest = value
    }
    value = lowest < 0 && Double(count) > Self.leastShare * Double(voxels.count) ? lowest : 0
  }

  /// The scan shifted so that its padding is zero.
  func removed(from scan: Volume<Float>) -> Volume<Float> {
    Volume(grid: scan.grid, voxels: scan.voxels.map { $0 - value })
  }
}
