import Imaging

/// Changes of a scan that a method which reads any contrast, resolution and age should not mind.
package enum ScanVariant: String, CaseIterable, Sendable {
  /// x' = max + min - x among voxels that are not zero.
  case inverted
  /// Tissue means in T2's order, what is left of each voxel kept.
  case t2 = "t2-like"
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

  private static func inverted(_ scan: Volume<Float>) -> Volume<Float> {
    let used = scan.voxels.filter { $0 != 0 && $0.isFinite }
    guard let least = used.min(), let most = used.max() else { return scan }
    // A voxel at the maximum would become zero, which means padding.
    let tiny = (most - least) * 1e-6
    return Volume(
      grid: scan.grid,
      voxels: scan.voxels.map { $0 == 0 || !$0.isFinite ? $0 : max(most + least - $0, tiny) })
  }

  /// Means of tissues as T2-weighted scans have them, of the brightest, by BIDS tissue.
  private static func t2Mean(_ label: Label) -> Float? {
    switch label.mapping {
    case 1, 8, 11: 0.58
    case 2, 10: 0.40
    case 3: 1
    case 9: 0.5
    default: nil
    }
  }

  private static func remapped(
    _ scan: Volume<Float>, _ reference: Volume<Int32>, _ table: LabelTable
  ) -> Volume<Float> {
    // Voxels of no labelled tissue follow the straight line that suits the others least badly: inversion.
    let inverted = inverted(scan)
    var sums: [Float: (sum: Double, count: Int)] = [:]
    let targets = reference.voxels.map { table.label(of: $0).flatMap { Self.t2Mean($0) } }
    var most: Float = 0
    for (voxel, target) in targets.enumerated() {
      guard let target, scan.voxels[voxel] != 0, scan.voxels[voxel].isFinite else { continue }
      let old = sums[target] ?? (0, 0)
      sums[target] = (old.sum + Double(scan.voxels[voxel]), old.count + 1)
    }
    for (sum, count) in sums.values { most = max(most, Float(sum / Double(count))) }
    var voxels = inverted.voxels
    for (voxel, target) in targets.enumerated() {
      let value = scan.voxels[voxel]
      guard let target, value != 0, value.isFinite, let (sum, count) = sums[target] else {
        continue
      }
      voxels[voxel] = max(most * target + value - Float(sum / Double(count)), most * 1e-6)
    }
    return Volume(grid: scan.grid, voxels: voxels)
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
