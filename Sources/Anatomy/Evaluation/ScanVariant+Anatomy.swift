import Foundation
import Imaging
import Parallel

/// What age does to a brain, done to a scan whose labels are known.
extension ScanVariant {
  /// How much larger the ventricles of `wide` are.
  private static let widening = 6.0
  /// Lesions of `lesions`: their volume in mm3, and how far from the lateral ventricles they end, mm.
  private static let (lesionVolume, lesionReach) = (20_000.0, 14.0)
  /// Distance from the ventricles at which lesions are as much less likely as a standard deviation of the
  /// field that they are drawn from, mm.
  private static let lesionDecay = 6.0
  /// Distance of the nodes of that field, mm.
  private static let lesionSpacing = 6.0
  /// Over how much of that field a lesion fades, in standard deviations.
  private static let lesionRim: Float = 0.3

  /// Lateral and third ventricles larger by `widening`, the tissue around them moved smoothly, as
  /// `VentricleFlow` does. Nil where the reference has none.
  static func widened(
    _ scan: Volume<Float>, _ reference: Volume<Int32>, _ table: LabelTable
  ) -> (scan: Volume<Float>, reference: Volume<Int32>)? {
    let grid = reference.grid
    let isVentricle = VentricleFlow.labels(of: table)
    let channels = reference.voxels.map { value -> UInt8 in
      table.position(of: value).map { isVentricle[$0] ? 1 : 0 } ?? 0
    }
    guard
      let flow = VentricleFlow(
        channels, [false, true], grid, spacing: MapAugmentation.latticeSpacing)
    else { return nil }
    var field = Displacement(over: grid, spacing: MapAugmentation.latticeSpacing)
    flow.move(&field, by: flow.distance(forRatio: widening))
    return (
      moved(scan, along: field) { voxels, at in interpolated(voxels, grid.extents, at) },
      moved(reference, along: field) { voxels, at in
        let near = at.rounded(.toNearestOrAwayFromZero)
        return voxels[grid.index(Int(near.x), Int(near.y), Int(near.z))]
      }
    )
  }

  /// Every voxel takes the value at the voxel position, within the grid, that the displacement leads to.
  private static func moved<Scalar: BitwiseCopyable & Sendable>(
    _ volume: Volume<Scalar>, along field: Displacement,
    _ value: @Sendable (UnsafeBufferPointer<Scalar>, SIMD3<Float>) -> Scalar
  ) -> Volume<Scalar> {
    let grid = volume.grid
    let spacing = SIMD3<Float>(grid.spacing)
    let last = SIMD3<Float>(grid.extents &- SIMD3(repeating: 1))
    var result = volume.voxels
    result.withUnsafeMutableBufferPointer { buffer in
      volume.voxels.withUnsafeBufferPointer { source in
        nonisolated(unsafe) let (out, source) = (buffer, source)
        Parallel.forEach(grid.extents.z) { z in
          field.reading { displacement in
            for y in 0..<grid.extents.y {
              for x in 0..<grid.extents.x {
                let at = SIMD3(Float(x), Float(y), Float(z)) * spacing
                let u = displacement(at)
                let to = (at + SIMD3(u.x, u.y, u.z)) / spacing
                out[grid.index(x, y, z)] = value(
                  source, to.clamped(lowerBound: .zero, upperBound: last))
              }
            }
          }
        }
      }
    }
    return Volume(grid: grid, voxels: result)
  }

  /// Linear between the eight voxels around a position; zero, which is padding, where the nearest is.
  private static func interpolated(
    _ voxels: UnsafeBufferPointer<Float>, _ extents: SIMD3<Int>, _ at: SIMD3<Float>
  ) -> Float {
    let base = SIMD3<Int>(at)
    let f = at - SIMD3<Float>(base)
    var (sum, nearest, most): (Float, Float, Float) = (0, 0, -1)
    for corner in 0..<8 {
      let (dx, dy, dz) = (corner & 1, corner >> 1 & 1, corner >> 2)
      let (wx, wy) = (dx == 0 ? 1 - f.x : f.x, dy == 0 ? 1 - f.y : f.y)
      let weight = wx * wy * (dz == 0 ? 1 - f.z : f.z)
      // A neighbour of no weight may lie beyond the last voxel.
      guard weight > 0 else { continue }
      let value = voxels[((base.z + dz) * extents.y + base.y + dy) * extents.x + base.x + dx]
      sum += weight * value
      if weight > most { (nearest, most) = (value, weight) }
    }
    return nearest == 0 ? 0 : sum
  }

  /// White matter near the lateral ventricles as dark, or bright, as the cortex, in spots that a smooth random
  /// field and the distance from the ventricles choose. The labels remain white matter. Nil where the
  /// reference lacks one of the three.
  static func withLesions(
    _ scan: Volume<Float>, _ reference: Volume<Int32>, _ table: LabelTable
  ) -> Volume<Float>? {
    let grid = reference.grid
    let labels = reference.voxels.map { table.label(of: $0) }
    func voxels(_ isMember: (Label) -> Bool) -> [Bool] {
      labels.map { $0.map(isMember) ?? false }
    }
    func mean(_ chosen: [Bool]) -> Float? {
      var (sum, count) = (0.0, 0)
      for (voxel, value) in scan.voxels.enumerated() where chosen[voxel] && value.isFinite {
        (sum, count) = (sum + Double(value), count + 1)
      }
      return count > 0 ? Float(sum / Double(count)) : nil
    }
    let white = voxels { $0.tissue == .whiteMatter }
    let cortex = voxels { $0.tissue == .corticalGreyMatter }
    guard let own = mean(white), let other = mean(cortex) else { return nil }
    let distances = DistanceTransform.squared(
      to: voxels { $0.isNamed(["lateral-ventricle"]) }, extents: grid.extents,
      spacing: grid.spacing)
    let field = Displacement.random(
      over: grid, spacing: lesionSpacing, deviation: 1, CounterRandom(seed: 1, stream: 1))
    var chances: [(voxel: Int, chance: Float)] = []
    for voxel in white.indices where white[voxel] {
      let distance = distances[voxel].squareRoot()
      guard distance < Float(lesionReach) else { continue }
      let at = SIMD3<Float>(SIMD3<Double>(grid.voxel(at: voxel)) * grid.spacing)
      chances.append((voxel, field.at(at).x - distance / Float(lesionDecay)))
    }
    guard !chances.isEmpty else { return nil }
    let sorted = chances.map(\.chance).sorted(by: >)
    let least = sorted[min(Int(lesionVolume / grid.voxelVolume), sorted.count) - 1]
    var result = scan.voxels
    for (voxel, chance) in chances where result[voxel] != 0 {
      let strength = min(max((chance - least) / lesionRim, 0), 1)
      result[voxel] += strength * (other - own)
    }
    return Volume(grid: scan.grid, voxels: result)
  }
}
