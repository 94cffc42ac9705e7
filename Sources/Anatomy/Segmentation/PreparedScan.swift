import Imaging

/// A scan as it is fitted: its axes closest to R, A and S, and zero wherever nothing was measured.
struct PreparedScan {
  let volume: Volume<Float>
  /// From the scan's own axes.
  let order: VoxelOrder
  /// What was there instead of zero.
  let padding: ScanPadding

  init(_ scan: consuming Volume<Float>) {
    order = VoxelOrder(from: scan.grid, to: .canonical)
    let ordered = order.apply(scan)
    padding = ScanPadding(of: ordered.voxels)
    volume = padding.zeroed(Volume(grid: Self.rounded(ordered.grid), voxels: ordered.voxels))
  }

  /// Voxels are at least as wide, mm.
  private static let smallestVoxel = 1e-3
  /// A body is at most as long, and as wide, mm.
  private static let (longest, widest) = (4000.0, 1500.0)

  /// Throws `AnatomyError.hopelessFit` for a scan of a size that no body has: places in it would be looked through
  /// without end.
  func checkSize(path: String) throws {
    let (spacing, sizes) = (volume.grid.spacing, volume.grid.spacing * SIMD3(volume.grid.extents))
    func words(_ mm: SIMD3<Double>) -> String {
      let rounded = (mm * 1e6).rounded(.toNearestOrEven) / 1e6
      return "\(rounded.x) x \(rounded.y) x \(rounded.z) mm"
    }
    guard spacing.min() >= Self.smallestVoxel else {
      throw AnatomyError.hopelessFit(
        path: path,
        reason: "voxels of \(words(spacing)), expected \(Self.smallestVoxel) mm at least")
    }
    let isWide = (0..<3).count { sizes[$0] > Self.widest } > 1
    guard !isWide, sizes.max() <= Self.longest else {
      throw AnatomyError.hopelessFit(
        path: path,
        reason:
          "a field of view of \(words(sizes)), expected \(Self.longest) mm at most along one axis and "
          + "\(Self.widest) along the others")
    }
  }

  /// All intensities of an MRI; those of the soft tissue of a CT: air and bone fall on its ends.
  ///
  /// - Throws: `AnatomyError.noContrast`.
  func scale(path: String) throws -> IntensityScale {
    guard let scale = IntensityScale(volume.voxels) else {
      throw AnatomyError.noContrast(path: path)
    }
    guard let hounsfield = padding.hounsfield else { return scale }
    return IntensityScale(
      low: hounsfield.lowerBound - padding.value, high: hounsfield.upperBound - padding.value,
      startsAtZero: false)
  }

  /// The grid with its affine rounded to a thousandth of a mm at each corner or better: the same scan
  /// stored in another order differs in the last bits of its affine.
  private static func rounded(_ grid: Grid) -> Grid {
    func round(_ v: SIMD3<Double>, _ unit: Double) -> SIMD3<Double> {
      (v / unit).rounded(.toNearestOrEven) * unit
    }
    let a = grid.affine
    return Grid(
      extents: grid.extents,
      affine: Affine(
        columns: (round(a.columns.0, 1e-6), round(a.columns.1, 1e-6), round(a.columns.2, 1e-6)),
        translation: round(a.translation, 1e-3)))
  }
}
