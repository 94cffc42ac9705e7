import Foundation
import Imaging
import Networks
import Parallel
import Testing

@testable import Anatomy

@Suite struct MapAugmentationTests {
  private typealias Settings = MapAugmentation.Settings

  private func only(_ change: (inout Settings) -> Void) throws -> MapAugmentation {
    var settings = Settings.none
    change(&settings)
    return MapAugmentation(try SmallHead.aligned(), settings: settings)
  }

  // MARK: Random numbers

  @Test func threadsDoNotMatter() throws {
    let threads = Parallel.threads
    defer { Parallel.threads = threads }
    func draws(_ threads: Int) throws -> [[UInt8]] {
      Parallel.threads = threads
      let augmentation = MapAugmentation(try SmallHead.aligned())
      var random = Philox(seed: 3, stream: 9)
      return (0..<3).map { _ in augmentation.draw(0, random: &random) }
    }
    let one = try draws(1)
    #expect(Set(one).count == 3)
    #expect(try draws(2) == one)
    #expect(try draws(3) == one)
  }

  @Test func drawsGoOnFromACopiedState() throws {
    let augmentation = MapAugmentation(try SmallHead.aligned())
    var random = Philox(seed: 8)
    _ = augmentation.draw(0, random: &random)
    #expect(random.position == 2)
    let saved = try JSONEncoder().encode(random)
    let next = augmentation.draw(0, random: &random)
    var resumed = try JSONDecoder().decode(Philox.self, from: saved)
    // Into an array with something else in it.
    var result = [UInt8](repeating: 7, count: next.count)
    augmentation.draw(0, random: &resumed, into: &result)
    let changed = result.differences(from: next)
    #expect(changed == 0)
    #expect(resumed == random)
  }

  @Test func kindsOfVariationDoNotDisturbEachOther() throws {
    let shift = try only { $0.shift = 3 }
    let both = try only {
      $0.shift = 3
      $0.shape = 1e-7
      $0.detail = 1e-7
      $0.ventricles = 1e-7
      $0.cortex = 1e-7
    }
    var (one, two) = (Philox(seed: 4), Philox(seed: 4))
    let shifted = shift.draw(0, random: &one)
    // Voxels on the border between two labels may fall to either side.
    let differing = shifted.differences(from: both.draw(0, random: &two))
    #expect(differing < 100)
    let moved = shifted.differences(from: shift.maps.maps[0].channels)
    #expect(moved > 10_000)
  }

  @Test func settingsAreCodable() throws {
    var settings = Settings()
    settings.shape = 4.5
    let copy = try JSONDecoder().decode(Settings.self, from: JSONEncoder().encode(settings))
    #expect(copy == settings && copy != Settings())
  }

  // MARK: Place and shape

  @Test func nothingChangesWithoutAmplitudes() throws {
    let augmentation = try only { _ in }
    let map = try #require(augmentation.maps.maps.first)
    var random = Philox(seed: 1)
    for _ in 0..<3 {
      let changed = augmentation.draw(0, random: &random).differences(from: map.channels)
      #expect(changed == 0)
    }
  }

  @Test func mirrorImagesAreDrawnHalfOfTheTime() throws {
    let augmentation = try only { $0.mirror = 0.5 }
    let map = try #require(augmentation.maps.maps.first)
    let image = try #require(map.mirrored)
    var random = Philox(seed: 1)
    var images = 0
    for _ in 0..<40 {
      let drawn = augmentation.draw(0, random: &random)
      let changed = drawn.differences(from: map.channels)
      let changedImage = drawn.differences(from: image)
      #expect(changed == 0 || changedImage == 0)
      if changedImage == 0 { images += 1 }
    }
    #expect((8...32).contains(images))
    let asymmetry = map.channels.differences(from: image)
    #expect(asymmetry > 0)
  }

  @Test func affinesKeepTheCentreInItsPlace() throws {
    var settings = Settings.none
    (settings.rotation, settings.size, settings.shear) = (3, 0.05, 0.02)
    var random = Philox(seed: 6)
    let grid = SmallHead.grid
    let centre = (SIMD3<Double>(grid.extents) - SIMD3(repeating: 1)) / 2 * grid.spacing
    var turned = 0.0
    for _ in 0..<20 {
      let affine = settings.affine(over: grid, &random)
      #expect(norm(affine(centre) - centre) < 1e-9)
      #expect(affine.determinant > 0.5 && affine.determinant < 2)
      turned = max(turned, affine.largestDifference(from: .identity, over: grid.extents))
    }
    #expect(turned > 3 && turned < 30)
  }

  @Test func shiftsMoveEveryLabelAlike() throws {
    let augmentation = try only { $0.shift = 3 }
    let map = try #require(augmentation.maps.maps.first)
    var random = Philox(seed: 2)
    let drawn = augmentation.draw(0, random: &random)
    func centres(_ channels: [UInt8]) -> [SIMD3<Double>?] {
      ChannelMap(grid: SmallHead.grid, channels: channels.map { $0 == 255 ? 0 : $0 })
        .centroids(labels: 10).map { $0?.centre }
    }
    let moves = zip(centres(drawn), centres(map.channels)).compactMap { to, from in
      to.flatMap { to in from.map { to - $0 } }
    }
    let first = try #require(moves.first)
    #expect(moves.count == 9 && norm(first) > 0.5)
    for move in moves { #expect(norm(move - first) < 0.6) }
  }

  @Test func splinesHaveTheirDeviation() {
    let grid = Fixture.grid(120, 120, 120)
    var (squares, count, steepest) = (0.0, 0, Float(0))
    var random = Philox(seed: 12)
    for _ in 0..<6 {
      var field = Displacement(over: grid, spacing: 4)
      field.addSpline(over: grid, controls: 20, deviation: 3, &random)
      for node in field.values.indices {
        let value = field.values[node]
        squares += Double((value * value).sum())
        count += 3
        if (node + 1) % field.nodes.x > 0 {
          steepest = max(steepest, abs(field.values[node + 1].x - value.x) / 4)
        }
      }
    }
    #expect(abs((squares / Double(count)).squareRoot() - 3) < 0.3)
    // Derivatives deviate by 1.2 * 3 / 20: the field is as smooth as it says.
    #expect(steepest > 0.3 && steepest < 1)
  }

  @Test func deformationsDoNotFold() throws {
    let augmentation = MapAugmentation(try SmallHead.aligned())
    let members = VentricleFlow.labels(of: augmentation.maps.space.table)
    let flow = try #require(
      VentricleFlow(augmentation.maps.maps[0].channels, members, SmallHead.grid, spacing: 4))
    for seed in 0..<12 {
      let field = augmentation.displacement(seed: UInt64(seed), flow: flow)
      #expect(leastJacobian(field) > 0.03, "seed \(seed)")
    }
    var largest = Displacement(over: SmallHead.grid, spacing: 4)
    flow.move(&largest, by: flow.distance(forRatio: 3))
    #expect(leastJacobian(largest) > 0.03)
  }

  /// The least determinant of the derivative of positions, by one-sided differences within cells.
  private func leastJacobian(_ field: Displacement) -> Float {
    var least = Float.infinity
    let n = field.nodes
    let strides = [1, n.x, n.x * n.y]
    for z in 0..<n.z - 1 {
      for y in 0..<n.y - 1 {
        for x in 0..<n.x - 1 {
          let node = z * strides[2] + y * strides[1] + x
          let d = strides.map { (field.values[node + $0] - field.values[node]) / field.spacing }
          let columns = (0..<3).map { axis in
            SIMD3<Double>(
              Double(d[axis].x), Double(d[axis].y), Double(d[axis].z))
              + SIMD3(axis == 0 ? 1 : 0, axis == 1 ? 1 : 0, axis == 2 ? 1 : 0)
          }
          let affine = Affine(columns: (columns[0], columns[1], columns[2]), translation: .zero)
          least = min(least, Float(affine.determinant))
        }
      }
    }
    return least
  }

  @Test func missingStaysMissing() throws {
    let table = try SmallHead.table()
    let cut = Fixture.map(SmallHead.grid) { $0.z < -14 ? 0 : SmallHead.value($0) }
    let maps = try AlignedMaps(["cut"], in: SmallHead.space(), read: { _ in cut })
    let known = try #require(maps.maps.first).channels
    #expect(known.count(of: 255) > 10_000)
    var settings = Settings.none
    settings.cortex = 1
    let augmentation = MapAugmentation(maps, settings: settings)
    var random = Philox(seed: 5)
    for _ in 0..<3 {
      let drawn = augmentation.draw(0, random: &random)
      let changed = zip(drawn, known).count { ($0 == 255) != ($1 == 255) }
      #expect(changed == 0)
    }
    // What comes in from beyond the grid is missing.
    let whole = try only { $0.shift = 3 }
    random = Philox(seed: 5)
    // A variation takes a random share of the shift: one of a few is seen.
    var new: [Int] = []
    for _ in 0..<6 {
      let shifted = whole.draw(0, random: &random)
      new.append(shifted.count(of: 255))
      let unknown = shifted.count { Int($0) >= table.count && $0 != ChannelMap.missing }
      #expect(unknown == 0)
    }
    #expect(new.contains { $0 > 0 } && new.allSatisfy { $0 < 40_000 })
  }

  @Test func tablesWithoutSuchNamesAreOnlyMoved() throws {
    let grid = Fixture.organs(0).grid
    let table = try Fixture.table(Fixture.label(200), Fixture.label(301))
    let space = AtlasSpace(table: table, grid: grid, targets: [nil, nil, nil])
    let maps = try AlignedMaps(["organs"], in: space, read: { _ in Fixture.organs(0) })
    var settings = Settings.none
    (settings.cortex, settings.ventricles, settings.mirror) = (1, 1, 1)
    var random = Philox(seed: 1)
    let drawn = MapAugmentation(maps, settings: settings).draw(0, random: &random)
    let changed = drawn.differences(from: maps.maps[0].channels)
    #expect(changed == 0)
  }
}
