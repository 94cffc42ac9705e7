import Foundation
import Imaging
import Testing

@testable import Anatomy

@Suite struct ChannelMapTests {
  private let grid = Fixture.grid(40, 44, 48)

  private func ball(cutBelow floor: Double) throws -> ChannelMap {
    let table = try Fixture.table(Fixture.label(4, partner: 6), Fixture.label(6, partner: 4))
    let map = Fixture.map(grid) { p in
      guard Fixture.inside(p, centre: .zero, radii: SIMD3(16, 17, 18)), p.z > floor else {
        return 0
      }
      return p.x < 0 ? 4 : 6
    }
    return try ChannelMap(map, table: table, path: "ball")
  }

  @Test func unknownValuesAreAllListed() throws {
    let table = try Fixture.table(Fixture.label(4))
    let map = Volume<Int32>(grid: Fixture.grid(5, 1, 1), voxels: [0, 4, 9, 7, 9])
    #expect(throws: AnatomyError.unknownLabels(path: "m", values: [7, 9])) {
      try ChannelMap(map, table: table, path: "m")
    }
  }

  @Test func fieldsOfViewEndWhereTissueIsCut() throws {
    let whole = try ball(cutBelow: -100)
    #expect(whole.cutFaces == 0)
    let cut = try ball(cutBelow: -4)
    #expect(cut.cutFaces == 1)
    // Below the cut labels are missing; above the ball, at its other side, lies background.
    let values = cut.resampled(to: grid) { SIMD3<Float>(Float($0.x), Float($0.y), Float($0.z)) }
    #expect(values[grid.index(20, 22, 2)] == ChannelMap.missing)
    #expect(values[grid.index(20, 22, 47)] == 0)
    #expect(values[grid.index(20, 22, 25)] != 0)
  }

  @Test func mirrorImagesSwapSidesInWorldSpace() throws {
    let table = try Fixture.table(Fixture.label(4, partner: 6), Fixture.label(6, partner: 4))
    let map = Fixture.map(grid) { p in
      Fixture.inside(p, centre: SIMD3(-9, 3, 2), radii: SIMD3(6, 5, 4)) ? 4 : 0
    }
    let image = try ChannelMap(map, table: table, path: "m").mirrored(table: table)
    let centroids = image.centroids(labels: table.count)
    #expect(centroids[1] == nil)
    let right = try #require(centroids[2])
    #expect(norm(right.centre - SIMD3(9, 3, 2)) < 0.3)
  }

  @Test func votesAreThoseOfTheLargestWeight() {
    let random = CounterRandom(seed: 2, stream: 0)
    let extents = SIMD3(4, 4, 4)
    let channels = (0..<64).map { UInt8(random.bits($0) % 3) }
    for sample in 0..<200 {
      let p = SIMD3<Double>(
        random.uniform(1000 + 3 * sample), random.uniform(1001 + 3 * sample),
        random.uniform(1002 + 3 * sample))
      let at = SIMD3<Float>(p * 2.99)
      let base = SIMD3(Int(at.x), Int(at.y), Int(at.z))
      var weights: [Float] = [0, 0, 0]
      for corner in 0..<8 {
        var weight: Float = 1
        var place = base
        for axis in 0..<3 {
          let far = corner >> axis & 1 == 1
          let fraction = at[axis] - Float(base[axis])
          weight *= far ? fraction : 1 - fraction
          if far { place[axis] += 1 }
        }
        weights[Int(channels[(place.z * 4 + place.y) * 4 + place.x])] += weight
      }
      let vote = channels.withUnsafeBufferPointer { ChannelMap.vote($0, extents, at) }
      // Sums in another order may differ in the last digit where two labels tie.
      #expect(weights[Int(vote)] > (weights.max() ?? 0) - 1e-6)
    }
  }
}
