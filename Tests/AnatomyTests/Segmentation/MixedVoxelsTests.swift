import Foundation
import Imaging
import Testing

@testable import Anatomy

/// Voxels between fluid and white matter.
@Suite struct MixedVoxelsTests {
  /// 1 fluid, 2 white matter, 3 grey matter beneath the cortex, 4 cortex.
  private func table() throws -> LabelTable {
    try Fixture.table(
      Fixture.label(1, mapping: 3), Fixture.label(2, mapping: 2), Fixture.label(3, mapping: 9),
      Fixture.label(4, mapping: 8))
  }

  /// The changes of a small volume whose labels and intensities follow from the place.
  private func changes(
    spacing: SIMD3<Double> = SIMD3(1, 1, 1), _ values: (SIMD3<Int>) -> (UInt8, Float)
  ) throws -> [MixedVoxels.Change] {
    let mixed = MixedVoxels(try table(), isFluid: [false, true, false, false, false])
    let extents = SIMD3(5, 5, 5)
    let grid = Grid(
      extents: extents,
      affine: Orientation.canonical.affine(spacing: spacing, extents: extents))
    let voxels = Fixture.voxels(of: grid).map(values)
    let (labels, intensities) = (voxels.map(\.0), voxels.map(\.1))
    return labels.withUnsafeBufferPointer { labels in
      intensities.withUnsafeBufferPointer { intensities in
        (0..<extents.z).flatMap {
          mixed.changes(plane: $0, of: grid, labels: labels, intensities: intensities)
        }
      }
    }
  }

  /// Fluid (20) below place 2 along an axis, white matter (100) above, `between` at 2.
  private func wall(
    _ axis: Int, label: UInt8 = 3, intensity: Float, isFlipped: Bool = false
  ) throws -> [MixedVoxels.Change] {
    try changes {
      let place = isFlipped ? 4 - $0[axis] : $0[axis]
      return place == 2 ? (label, intensity) : place < 2 ? (1, 20) : (2, 100)
    }
  }

  @Test(arguments: [0, 1, 2]) func aLayerGoesToWhatItHoldsMoreOf(axis: Int) throws {
    for isFlipped in [false, true] {
      let bright = try wall(axis, intensity: 70, isFlipped: isFlipped)
      #expect(bright.count == 25 && bright.allSatisfy { $0.label == 2 })
      let dark = try wall(axis, intensity: 50, isFlipped: isFlipped)
      #expect(dark.count == 25 && dark.allSatisfy { $0.label == 1 })
      #expect(dark.map(\.voxel) == bright.map(\.voxel))
    }
  }

  @Test func whatIsNotBetweenThemStays() throws {
    #expect(try wall(0, intensity: 110).isEmpty)
    #expect(try wall(0, intensity: 10).isEmpty)
    #expect(try wall(0, label: 4, intensity: 60).isEmpty)
    // Two layers of grey matter: neither lies between fluid and white matter.
    let thick = try changes {
      $0.x == 2 || $0.x == 3 ? (3, 60) : $0.x < 2 ? (1, 20) : (2, 100)
    }
    #expect(thick.isEmpty)
    // At the border of the volume there is no other side.
    let border = try changes { $0.x == 0 ? (3, 60) : (2, 100) }
    #expect(border.isEmpty)
  }

  /// A slice of 5 mm may be grey matter.
  @Test func thickSlicesAreNoLayers() throws {
    for (thickness, count) in [(1.0, 25), (1.5, 25), (2.0, 0), (5.0, 0)] {
      let found = try changes(spacing: SIMD3(1, 1, thickness)) {
        $0.z == 2 ? (3, 60) : $0.z < 2 ? (1, 20) : (2, 100)
      }
      #expect(found.count == count, "\(thickness)")
    }
  }

  @Test func theAxisOfGreatestContrastDecides() throws {
    let found = try changes { place in
      switch place {
      case SIMD3(2, 2, 2): (3, 60)
      // Along x nearer to white matter, along y, where contrast is greater, nearer to fluid.
      case SIMD3(1, 2, 2): (1, 0)
      case SIMD3(3, 2, 2): (2, 100)
      case SIMD3(2, 1, 2): (1, 50)
      case SIMD3(2, 3, 2): (2, 180)
      default: (4, 60)
      }
    }
    #expect(found == [MixedVoxels.Change(voxel: 62, label: 1)])
  }

  @Test func labelsPosteriorsAndVolumesAgree() throws {
    let grid = Fixture.grid(12, 12, 12)
    // Fluid, a wall that grey matter is expected at, white matter.
    let prior = Fixture.prior(grid, try table()) { label, voxel in
      switch label {
      case 1: voxel.x < 6 ? 245 : 25
      case 2: voxel.x > 6 ? 245 : 25
      case 3: voxel.x == 6 ? 205 : 10
      default: 0
      }
    }
    var settings = Segmenter.Settings()
    (settings.posteriorLevels, settings.keepsEntropy) = (65535, true)
    settings.givesMixedVoxels = false
    let plain = try Segmenter(prior: prior, settings: settings)
    settings.givesMixedVoxels = true
    let giving = try Segmenter(prior: prior, settings: settings)
    let fit = Fixture.fit(
      grid, means: [2, 20, 100, 62, 150], variance: 64, scale: IntensityScale(low: 0, high: 200),
      lanes: plain.coarse.mm2.lanes)
    let scan = Volume(
      grid: grid,
      voxels: Fixture.voxels(of: grid).map { voxel -> Float in
        voxel.x == 6 ? (voxel.y < 6 ? 66 : 55) : voxel.x < 6 ? 20 : 100
      })
    let (before, after) = (try plain.label(scan, fit), try giving.label(scan, fit))
    let voxels = Fixture.voxels(of: grid)
    #expect(zip(voxels, before.labels).allSatisfy { ($0.x == 6) == ($1 == 3) })
    for (voxel, label) in zip(voxels, after.labels) {
      #expect(label == (voxel.x < 6 || voxel.x == 6 && voxel.y >= 6 ? 1 : 2), "\(voxel)")
    }
    let posteriors = try #require(after.posteriors)
    let entropy = try #require(after.entropy)
    let channels = (0..<5).map { posteriors.channel($0) { Int($0) } }
    var soft = [Double](repeating: 0, count: 5)
    for (i, voxel) in voxels.enumerated() {
      let values = channels.map { $0[i] }
      #expect(values.reduce(0, +) == 65535)
      #expect(values.indices.max { values[$0] < values[$1] } == Int(after.labels[i]))
      let shares = values.map { Double($0) / 65535 }
      for k in shares.indices { soft[k] += shares[k] }
      let own = shares.reduce(0.0) { $1 > 0 ? $0 - $1 * log($1) : $0 }
      #expect(abs(own - Double(entropy[i])) < 1e-3)
      if voxel.x == 6 { #expect(values[3] == 0) }
    }
    for k in 0..<5 {
      let volume = after.volumes[k]
      #expect(volume.voxels == after.labels.count { $0 == Int32(k) })
      #expect(volume.hard == Double(volume.voxels))
      #expect(abs(volume.soft - soft[k]) < 0.05, "\(k)")
    }
  }
}
