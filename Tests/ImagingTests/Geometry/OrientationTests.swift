import Foundation
import Testing

@testable import Imaging

@Suite struct OrientationTests {
  @Test func namesAndAffines() {
    #expect(Set(Orientation.all).count == 48)
    #expect(Orientation("LIA")?.name == "LIA")
    for name in ["", "RA", "RAL", "RASS", "XYZ", "RRS"] { #expect(Orientation(name) == nil) }
    for orientation in Orientation.all {
      let affine = orientation.affine(spacing: SIMD3(1, 2, 3), extents: SIMD3(4, 5, 6))
      #expect(Orientation(closestTo: affine) == orientation)
      #expect(norm(affine(SIMD3(1.5, 2, 2.5))) < 1e-12)
    }
    #expect(Orientation(closestTo: Grid.standardHead.affine).name == "LIA")
  }

  /// Into any of the 48 orders and back: every voxel keeps its place in the world, and every bit.
  @Test func reorderingAndBack() throws {
    let extents = SIMD3(3, 4, 5)
    let start = try #require(Orientation("PSR"))
    // Oblique by a few degrees.
    let tilt = Affine(rows: [
      [0.99, 0.05, -0.1, 3], [-0.06, 0.98, 0.04, -2], [0.1, -0.03, 0.97, 9],
    ])
    let grid = Grid(
      extents: extents, affine: tilt * start.affine(spacing: SIMD3(1, 2, 3), extents: extents))
    let volume = Volume(grid: grid, voxels: (0..<60).map { Int32($0) })
    for orientation in Orientation.all {
      let order = VoxelOrder(from: grid, to: orientation)
      let turned = order.apply(volume)
      #expect(Orientation(closestTo: turned.grid.affine) == orientation)
      let inverse = grid.affine.inverse
      for z in 0..<turned.grid.extents.z {
        for y in 0..<turned.grid.extents.y {
          for x in 0..<turned.grid.extents.x {
            let world = turned.grid.affine(SIMD3(Double(x), Double(y), Double(z)))
            let source = inverse(world)
            let place = SIMD3(
              Int(source.x.rounded()), Int(source.y.rounded()), Int(source.z.rounded()))
            #expect(norm(source - SIMD3<Double>(place)) < 1e-9)
            #expect(turned[x, y, z] == volume[place.x, place.y, place.z])
          }
        }
      }
      #expect(order.undo(turned) == volume)
    }
  }

  /// Real files: one image stored in all 48 orders. Skipped where the shared data are absent.
  @Test(.enabled(if: Places.hasShared))
  func oneImageInAllOrders() throws {
    let folder = Places.shared + "/awkward/orientations"
    let names = try FileManager.default.contentsOfDirectory(atPath: folder)
    #expect(names.count == 48)
    let canonical = try #require(Orientation("LIA"))
    let reference = try ImageReader.readScan("\(folder)/LIA.nii.gz").volume
    for name in names {
      let image = try ImageReader.readScan("\(folder)/\(name)")
      #expect(image.header.orientation.name + ".nii.gz" == name)
      let order = VoxelOrder(from: image.volume.grid, to: canonical)
      let turned = order.apply(image.volume)
      #expect(turned.voxels == reference.voxels)
      #expect(
        turned.grid.affine.largestDifference(
          from: reference.grid.affine, over: reference.grid.extents) < 1e-3)
      #expect(order.undo(turned) == image.volume)
    }
  }
}
