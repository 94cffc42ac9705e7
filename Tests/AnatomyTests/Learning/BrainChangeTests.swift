import Foundation
import Imaging
import Networks
import Testing

@testable import Anatomy

/// Ventricles of another size and a cortex of another thickness.
@Suite struct BrainChangeTests {
  // Positions in the table.
  private let leftWhite = 1
  private let leftCortex = 2
  private let leftVentricle = 3
  private let fluid = 4
  private let rightWhite = 5
  private let rightCortex = 6
  private let rightVentricle = 7
  private let nuclei = [8, 9]

  @Test func ventriclesAreFoundByName() throws {
    let members = VentricleFlow.labels(of: try SmallHead.table())
    #expect(members.indices.filter { members[$0] } == [leftVentricle, rightVentricle])
    let names = ["3rd-Ventricle", "4th-Ventricle", "Left-Inf-Lat-Vent", "Right_choroid_plexus"]
    let table = try LabelTable(
      labels: names.enumerated().map { index, name in
        Label(index: Int32(index + 1), name: name, color: .black, group: name)
      })
    #expect(VentricleFlow.labels(of: table) == [false, true, false, true, false])
  }

  @Test(arguments: [0.5, 0.8, 1.5, 3.0])
  func ventriclesGetTheVolumeAskedFor(_ ratio: Double) throws {
    let maps = try SmallHead.aligned()
    let channels = maps.maps[0].channels
    let members = VentricleFlow.labels(of: maps.space.table)
    let flow = try #require(VentricleFlow(channels, members, SmallHead.grid, spacing: 4))
    let voxels = channels.count(of: leftVentricle) + channels.count(of: rightVentricle)
    #expect(abs(flow.volume / Double(voxels) - 1) < 1e-3)
    var field = Displacement(over: SmallHead.grid, spacing: 4)
    flow.move(&field, by: flow.distance(forRatio: ratio))
    var drawn = channels
    field.sample(channels, on: SmallHead.grid, into: &drawn)
    func change(_ labels: [Int]) -> Double {
      Double(labels.reduce(0) { $0 + drawn.count(of: $1) })
        / Double(labels.reduce(0) { $0 + channels.count(of: $1) })
    }
    #expect(abs(change([leftVentricle, rightVentricle]) / ratio - 1) < 0.15)
    // Both sides take part.
    #expect(abs(change([leftVentricle]) / change([rightVentricle]) - 1) < 0.25)
    // Neighbours are pushed aside, not eaten.
    #expect(abs(change(nuclei) - 1) < 0.2)
    #expect(abs(change([leftCortex, rightCortex]) - 1) < 0.2)
  }

  @Test func drawnVentriclesGrowAndShrink() throws {
    var settings = MapAugmentation.Settings.none
    settings.ventricles = 1
    let augmentation = MapAugmentation(try SmallHead.aligned(), settings: settings)
    let own = augmentation.maps.maps[0].channels.count(of: leftVentricle)
    var random = Philox(seed: 21)
    let ratios = (0..<30).map { _ in
      Double(augmentation.draw(0, random: &random).count(of: leftVentricle)) / Double(own)
    }
    let (least, most) = (try #require(ratios.min()), try #require(ratios.max()))
    #expect(least > 0.4 && least < 0.65)
    #expect(most > 2.3 && most < 3.4)
  }

  @Test func mapsWithoutVentriclesHaveNoFlow() throws {
    let empty = [UInt8](repeating: 1, count: SmallHead.grid.count)
    let members = VentricleFlow.labels(of: try SmallHead.table())
    #expect(VentricleFlow(empty, members, SmallHead.grid, spacing: 4) == nil)
    // Such a map is drawn beside one that has them.
    let space = try SmallHead.space()
    let maps = try AlignedMaps(["without", "with"], in: space) { path in
      guard path == "without" else { return SmallHead.map() }
      return Fixture.map(SmallHead.grid) { p in
        let value = SmallHead.value(p)
        return value == 4 ? 2 : value == 43 ? 41 : value
      }
    }
    var settings = MapAugmentation.Settings.none
    settings.ventricles = 1
    let augmentation = MapAugmentation(maps, settings: settings)
    var random = Philox(seed: 2)
    let changed = (0..<2).map {
      augmentation.draw($0, random: &random).differences(from: maps.maps[$0].channels)
    }
    #expect(changed[0] == 0)
    #expect(changed[1] > 0)
  }

  // MARK: Cortex

  @Test func onlyTheCortexAndWhatTouchesItChange() throws {
    let table = try SmallHead.table()
    let before = try ChannelMap(SmallHead.map(), table: table, path: "").channels
    let change = try #require(CortexChange(table, extents: SmallHead.grid.extents))
    var random = Philox(seed: 11)
    var kinds: [SIMD2<Int>: Int] = [:]
    for _ in 0..<20 {
      var after = before
      change.apply(to: before, on: SmallHead.grid, share: 1, &random, into: &after)
      for voxel in after.indices where after[voxel] != before[voxel] {
        let (from, to) = (Int(before[voxel]), Int(after[voxel]))
        kinds[SIMD2(from, to), default: 0] += 1
        let around = neighbours(voxel).map { Int(before[$0]) }
        if to == fluid {
          #expect(around.contains(fluid))
          #expect(!around.contains(leftWhite) && !around.contains(rightWhite))
        } else {
          #expect(around.contains(to))
        }
      }
    }
    let thinner = [SIMD2(leftCortex, fluid), SIMD2(rightCortex, fluid)]
    let outward = [SIMD2(fluid, leftCortex), SIMD2(fluid, rightCortex)]
    let inward = [SIMD2(leftWhite, leftCortex), SIMD2(rightWhite, rightCortex)]
    // Where the sides meet, white matter may touch the other side's cortex.
    let across = [SIMD2(leftWhite, rightCortex), SIMD2(rightWhite, leftCortex)]
    #expect(Set(kinds.keys).isSubset(of: thinner + outward + inward + across))
    for kind in thinner + outward + inward { #expect(kinds[kind, default: 0] > 100, "\(kind)") }
  }

  private func neighbours(_ voxel: Int) -> [Int] {
    let row = SmallHead.grid.extents.x
    let slice = row * SmallHead.grid.extents.y
    return [-1, 1, -row, row, -slice, slice].map { voxel + $0 }
  }

  @Test func shareLimitsTheChange() throws {
    let table = try SmallHead.table()
    let before = try ChannelMap(SmallHead.map(), table: table, path: "").channels
    let change = try #require(CortexChange(table, extents: SmallHead.grid.extents))
    func changed(_ share: Double) -> Int {
      var random = Philox(seed: 4)
      return (0..<10).reduce(0) { sum, _ in
        var after = before
        change.apply(to: before, on: SmallHead.grid, share: share, &random, into: &after)
        return sum + zip(before, after).count { $0 != $1 }
      }
    }
    #expect(changed(0.01) * 5 < changed(0.5))
  }

  @Test func thinCortexIsNotWornThrough() throws {
    // A sheet of one and two voxels between white matter and fluid keeps one of them everywhere.
    let table = try SmallHead.table()
    let grid = Fixture.grid(40, 40, 12)
    let before = Fixture.voxels(of: grid).map { voxel in
      UInt8(voxel.z < 5 ? 1 : voxel.z < (voxel.x < 20 ? 6 : 7) ? 2 : 4)
    }
    let change = try #require(CortexChange(table, extents: grid.extents))
    var random = Philox(seed: 3)
    var (thinned, lost) = (0, 0)
    for _ in 0..<20 {
      var after = before
      change.apply(to: before, on: grid, share: 1, &random, into: &after)
      for y in 0..<40 {
        for x in 0..<40 {
          let cortex = (0..<12).count { after[grid.index(x, y, $0)] == 2 }
          if cortex == 0 { lost += 1 }
          if cortex == 1, x >= 20 { thinned += 1 }
        }
      }
    }
    #expect(lost == 0)
    #expect(thinned > 1000)
  }
}
