import Imaging

/// Changes of a scan that a method which reads any contrast, resolution and age should not mind.
package enum ScanVariant: String, CaseIterable, Sendable {
  /// x' = max + min - x among voxels that are not zero.
  case inverted
  /// Tissue means in T2's order, what is left of each voxel kept.
  case t2 = "t2-like"
  /// Contrast of proton density: cortex nearly as bright as fluid, white matter darker; noise.
  case pd = "PD-like"
  /// Twice as bright at some places as at others, as a surface coil leaves it.
  case shaded = "coil field"
  /// Slices of 5 mm.
  case thick = "1x1x5 mm"
  /// Voxels of 0.7 mm.
  case fine = "0.7 mm"
  /// Ventricles six times as large.
  case wide = "ventricles x6"
  /// White matter beside the ventricles that looks like cortex.
  case lesions = "20 ml of lesions"

  /// The changed scan, and the reference on its grid; both are on one grid before, too. Nil where the reference
  /// lacks the structures that would be changed.
  package func apply(
    to scan: Volume<Float>, reference: Volume<Int32>, table: LabelTable
  ) -> (scan: Volume<Float>, reference: Volume<Int32>)? {
    switch self {
    case .inverted: (Self.inverted(scan), reference)
    case .t2: (Self.remapped(scan, reference, table), reference)
    case .pd: Self.withDensities(scan, reference, table).map { ($0, reference) }
    case .shaded: (Self.shaded(scan), reference)
    case .thick:
      Self.thick(scan, reference)
    case .fine:
      Self.resampled(scan, reference, onto: Self.grid(scan.grid, spacing: 0.7))
    case .wide:
      Self.widened(scan, reference, table)
    case .lesions:
      Self.withLesions(scan, reference, table).map { ($0, reference) }
    }
  }

  /// Averages over 5 mm along the third axis; the reference at the middle of each slice.
  private static func thick(
    _ scan: Volume<Float>, _ reference: Volume<Int32>
  ) -> (scan: Volume<Float>, reference: Volume<Int32>) {
    let factors = SIMD3(1, 1, max(1, Int((5 / scan.grid.spacing.z).rounded())))
    let thick = Pyramid.averaged(scan, factors: factors)
    return (thick, Resampler.nearest(reference, onto: thick.grid, outside: 0).volume())
  }

  private static func grid(_ grid: Grid, spacing: Double) -> Grid {
    let scale = SIMD3(repeating: spacing) / grid.spacing
    let extents = (SIMD3<Double>(grid.extents) / scale).rounded(.down)
    let affine = grid.affine
    return Grid(
      extents: SIMD3<Int>(Int(extents.x), Int(extents.y), Int(extents.z)),
      affine: Affine(
        columns: (
          affine.columns.0 * scale.x, affine.columns.1 * scale.y, affine.columns.2 * scale.z
        ), translation: affine.translation))
  }

  /// The reference by the shares of its labels: the nearest voxel would give finer voxels the steps of
  /// coarser ones, which no boundary in the scan has.
  private static func resampled(
    _ scan: Volume<Float>, _ reference: Volume<Int32>, onto grid: Grid
  ) -> (scan: Volume<Float>, reference: Volume<Int32>) {
    (
      Resampler.linear(scan, onto: grid, outside: 0).volume(),
      Resampler.labels(reference, onto: grid, outside: 0).volume()
    )
  }
}
