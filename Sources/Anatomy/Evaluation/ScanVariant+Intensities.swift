import Foundation
import Imaging

/// Other contrasts, and other coils, of a scan whose labels are known.
extension ScanVariant {
  static func inverted(_ scan: Volume<Float>) -> Volume<Float> {
    let used = scan.voxels.filter { $0 != 0 && $0.isFinite }
    guard let least = used.min(), let most = used.max() else { return scan }
    // A voxel at the maximum would become zero, which means padding.
    let tiny = (most - least) * 1e-6
    return Volume(
      grid: scan.grid,
      voxels: scan.voxels.map { $0 == 0 || !$0.isFinite ? $0 : max(most + least - $0, tiny) })
  }

  /// Means of tissues as T2-weighted scans have them, of the brightest.
  private static func t2Mean(_ label: Label) -> Float? {
    switch label.tissue {
    case .greyMatter, .corticalGreyMatter, .cerebellum: 0.58
    case .whiteMatter, .brainStem: 0.40
    case .cerebrospinalFluid: 1
    case .subcorticalGreyMatter: 0.5
    default: nil
    }
  }

  static func remapped(
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

  /// What fluid, cortex and white matter look like where protons are counted, of the brightest.
  private static let densities: [(tissue: BIDSTissue, value: Double)] = [
    (.cerebrospinalFluid, 1), (.corticalGreyMatter, 0.9), (.whiteMatter, 0.7),
  ]
  /// Standard deviation of their noise, and the brightest intensity.
  private static let (densityNoise, brightest) = (0.02, 1000.0)

  /// Intensities by a curve through the medians of fluid, cortex and white matter, straight between them. Nil where
  /// the reference lacks one, or two have one median.
  static func withDensities(
    _ scan: Volume<Float>, _ reference: Volume<Int32>, _ table: LabelTable
  ) -> Volume<Float>? {
    let tissues = reference.voxels.map { table.label(of: $0)?.tissue }
    var curve: [(old: Double, new: Double)] = []
    for (tissue, value) in densities {
      let values = scan.voxels.indices
        .filter { tissues[$0] == tissue && scan.voxels[$0] != 0 && scan.voxels[$0].isFinite }
        .map { scan.voxels[$0] }.sorted()
      guard !values.isEmpty else { return nil }
      curve.append((Double(values[values.count / 2]), value))
    }
    curve.sort { $0.old < $1.old }
    guard zip(curve, curve.dropFirst()).allSatisfy({ $0.old < $1.old }) else { return nil }
    let noise = CounterRandom(seed: 1, stream: 2)
    return Volume(
      grid: scan.grid,
      voxels: scan.voxels.enumerated().map { voxel, old in
        guard old != 0, old.isFinite else { return old }
        let upper = Double(old) < curve[1].old ? 1 : 2
        let (from, to) = (curve[upper - 1], curve[upper])
        let along = min(max((Double(old) - from.old) / (to.old - from.old), 0), 1)
        let value =
          from.new + along * (to.new - from.new) + densityNoise * noise.normals(voxel).0
        return Float(max(1, brightest * value))
      })
  }

  /// Nodes of the coil's field, mm, and the standard deviation of its logarithm at them.
  private static let (coilSpacing, coilDeviation) = (80.0, 0.25)

  /// Times a smooth random field, which leaves zero what is zero.
  static func shaded(_ scan: Volume<Float>) -> Volume<Float> {
    let grid = scan.grid
    let field = Displacement.random(
      over: grid, spacing: coilSpacing, deviation: coilDeviation,
      CounterRandom(seed: 1, stream: 3))
    let spacing = SIMD3<Float>(grid.spacing)
    var voxels = scan.voxels
    for voxel in voxels.indices {
      voxels[voxel] *= exp(field.at(SIMD3<Float>(grid.voxel(at: voxel)) * spacing).x)
    }
    return Volume(grid: grid, voxels: voxels)
  }
}
