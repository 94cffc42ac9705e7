import Foundation
import Imaging
import Parallel

/// Changes of a head's anatomy that the augmentation of training does not contain: ventricles that eat into
/// what is next to them, a cortex worn away from outside, a head twisted and of other proportions.
///
/// They work on the voxels of a label map by distance alone, where the augmentation moves tissue along smooth
/// displacements.
package struct ShapeChange: Sendable {
  /// How far ventricles grow into what is next to them, in mm.
  package var dilation: Double
  /// How much of the cortex that borders on fluid is worn away, in mm.
  package var thinning: Double
  /// How much the head is twisted along its long axis, lengthened and narrowed: 0 not at all, 1 by up to 6 degrees
  /// and 6 %.
  package var reshape: Double

  package init(dilation: Double = 4, thinning: Double = 1, reshape: Double = 1) {
    (self.dilation, self.thinning, self.reshape) = (dilation, thinning, reshape)
  }

  /// Lateral and third ventricles, as FreeSurfer numbers them.
  private static let ventricles: Set<Int32> = [4, 43, 14]
  /// What ventricles may grow into.
  private static let yielding: Set<Int32> = [2, 41, 10, 49, 11, 50, 31, 63, 28, 60]
  private static let cortex: Set<Int32> = [3, 42]
  private static let fluid: Int32 = 24

  /// A label map worn, then dilated, then reshaped.
  package func applied(to map: Volume<Int32>) -> Volume<Int32> {
    let worn = Self.spread([Self.fluid], into: Self.cortex, by: thinning, in: map)
    return reshaped(Self.spread(Self.ventricles, into: Self.yielding, by: dilation, in: worn))
  }

  /// Labels grown by a distance in mm into others that yield.
  private static func spread(
    _ labels: Set<Int32>, into yielding: Set<Int32>, by distance: Double, in map: Volume<Int32>
  ) -> Volume<Int32> {
    let grid = map.grid
    let offsets = ball(grid.spacing, radius: distance)
    var result = map.voxels
    for z in 0..<grid.extents.z {
      for y in 0..<grid.extents.y {
        for x in 0..<grid.extents.x {
          let label = map.voxels[grid.index(x, y, z)]
          guard labels.contains(label), isBorder(map, x, y, z, label) else { continue }
          for offset in offsets {
            let (nx, ny, nz) = (x + offset.x, y + offset.y, z + offset.z)
            guard grid.contains(nx, ny, nz) else { continue }
            let voxel = grid.index(nx, ny, nz)
            if yielding.contains(map.voxels[voxel]) { result[voxel] = label }
          }
        }
      }
    }
    return Volume(grid: grid, voxels: result)
  }

  private static func isBorder(
    _ map: Volume<Int32>, _ x: Int, _ y: Int, _ z: Int, _ label: Int32
  ) -> Bool {
    let grid = map.grid
    for (dx, dy, dz) in [(1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1)] {
      guard grid.contains(x + dx, y + dy, z + dz) else { continue }
      if map.voxels[grid.index(x + dx, y + dy, z + dz)] != label { return true }
    }
    return false
  }

  /// Offsets of voxels within a distance in mm.
  private static func ball(_ spacing: SIMD3<Double>, radius: Double) -> [SIMD3<Int>] {
    let most = SIMD3(repeating: radius) / spacing
    var offsets: [SIMD3<Int>] = []
    for z in -Int(most.z)...Int(most.z) {
      for y in -Int(most.y)...Int(most.y) {
        for x in -Int(most.x)...Int(most.x) {
          let d = SIMD3(Double(x), Double(y), Double(z)) * spacing
          if (d * d).sum() <= radius * radius { offsets.append(SIMD3(x, y, z)) }
        }
      }
    }
    return offsets
  }

  /// Turned by up to 6 degrees about the head's long axis, more at the top than at the bottom; temples
  /// drawn in and the back drawn out.
  private func reshaped(_ map: Volume<Int32>) -> Volume<Int32> {
    guard reshape > 0 else { return map }
    let grid = map.grid
    let (toWorld, fromWorld) = (grid.affine, grid.affine.inverse)
    let centre = grid.centre
    var result = map.voxels
    result.withUnsafeMutableBufferPointer { buffer in
      nonisolated(unsafe) let out = buffer
      Parallel.forEach(grid.extents.z) { z in
        for y in 0..<grid.extents.y {
          for x in 0..<grid.extents.x {
            let p = toWorld(SIMD3(Double(x), Double(y), Double(z))) - centre
            let angle = reshape * 6 * Double.pi / 180 * tanh(p.z / 60)
            let (c, s) = (cos(angle), sin(angle))
            let turned = SIMD3(c * p.x - s * p.y, s * p.x + c * p.y, p.z)
            let narrow = 1 + reshape * 0.06 * exp(-turned.z * turned.z / 3200)
            let long = turned.y < 0 ? 1 - reshape * 0.05 : 1
            let source = SIMD3(turned.x * narrow, turned.y * long, turned.z)
            let at = fromWorld(source + centre).rounded(.toNearestOrAwayFromZero)
            let (sx, sy, sz) = (Int(at.x), Int(at.y), Int(at.z))
            out[grid.index(x, y, z)] =
              grid.contains(sx, sy, sz) ? map.voxels[grid.index(sx, sy, sz)] : 0
          }
        }
      }
    }
    return Volume(grid: grid, voxels: result)
  }
}
