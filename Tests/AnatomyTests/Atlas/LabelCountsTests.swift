import Foundation
import Imaging
import Testing

@testable import Anatomy

@Suite struct LabelCountsTests {
  private let grid = Fixture.grid(9, 7, 8, spacing: 1.5)

  /// Random labels in blocks, with a corner that no map reaches.
  private func channels(_ seed: UInt64, labels: Int) -> [UInt8] {
    let random = CounterRandom(seed: seed, stream: 0)
    return Fixture.voxels(of: grid).map { voxel in
      if voxel.x < 2, voxel.z > 5 { return ChannelMap.missing }
      let block = (voxel.x / 3) + 3 * (voxel.y / 3) + 9 * (voxel.z / 3)
      return UInt8(random.bits(block) % UInt64(labels))
    }
  }

  @Test func probabilitiesSumToOneEverywhere() throws {
    let table = try Fixture.table(Fixture.label(1), Fixture.label(2), Fixture.label(3))
    for smoothing in [0, 0.7, 3] {
      let counts = LabelCounts(grid: grid, labels: 4)
      for seed in 0..<5 { try counts.add(channels(UInt64(seed), labels: 4)) }
      let prior = counts.prior(table: table, smoothing: smoothing)
      let sums = (0..<4).map { prior.channel($0) }
      for voxel in 0..<grid.count {
        #expect(sums.reduce(0) { $0 + Int($1[voxel]) } == 255)
      }
      #expect(abs(prior.outside.reduce(0, +) - 1) < 1e-6)
    }
  }

  @Test func smoothingIsThatOfAPlainGaussian() throws {
    let table = try Fixture.table(Fixture.label(1), Fixture.label(2))
    let counts = LabelCounts(grid: grid, labels: 3)
    let maps = (0..<3).map { channels(UInt64($0), labels: 3) }
    for map in maps { try counts.add(map) }
    let smoothing = 2.0
    let prior = counts.prior(table: table, smoothing: smoothing)
    let voxels = Fixture.voxels(of: grid)
    let radius = Int((3 * smoothing / 1.5).rounded(.up))
    for (at, voxel) in voxels.enumerated() where at % 7 == 0 {
      var sums = [0.0, 0, 0]
      for (other, place) in voxels.enumerated() {
        let d = place &- voxel
        guard abs(d.x) <= radius, abs(d.y) <= radius, abs(d.z) <= radius else { continue }
        let squares = Double((d &* d).wrappedSum()) * 1.5 * 1.5
        let weight = exp(-0.5 * squares / (smoothing * smoothing))
        for map in maps where map[other] != ChannelMap.missing {
          sums[Int(map[other])] += weight
        }
      }
      let all = sums.reduce(0, +)
      for label in 0..<3 {
        // Rounded to 1/255 by largest remainder: less than one step off.
        let expected = sums[label] / all * 255
        #expect(abs(Double(prior.probability(of: label, at: at)) * 255 - expected) < 1.001)
      }
    }
  }

  @Test func whatIsRemovedWasNeverThere() throws {
    let table = try Fixture.table(Fixture.label(1), Fixture.label(2))
    let (a, b) = (channels(1, labels: 3), channels(2, labels: 3))
    let both = LabelCounts(grid: grid, labels: 3)
    let one = LabelCounts(grid: grid, labels: 3)
    try both.add(a)
    try both.add(b)
    both.remove(a)
    try one.add(b)
    #expect(both.maps == 1)
    let (first, second) = (
      both.prior(table: table, smoothing: 1), one.prior(table: table, smoothing: 1)
    )
    #expect(first.entries == second.entries)
    let sum = LabelCounts(grid: grid, labels: 3)
    try sum.add(a)
    try sum.add(one)
    sum.subtract(one)
    try one.add(a)
    one.remove(b)
    #expect(
      sum.prior(table: table, smoothing: 1).entries
        == one.prior(table: table, smoothing: 1).entries)
  }

  @Test func unseenVoxelsHoldTheOutsideMixture() throws {
    let table = try Fixture.table(Fixture.label(1))
    let counts = LabelCounts(grid: grid, labels: 2)
    try counts.add(
      Fixture.voxels(of: grid).map { $0.z < 3 ? ChannelMap.missing : $0.y < 3 ? 1 : 0 })
    let prior = counts.prior(table: table, smoothing: 0)
    let unseen = prior.probabilities(at: 0)
    for label in 0..<2 { #expect(abs(unseen[label] - prior.outside[label]) < 1.0 / 255) }
    #expect(prior.outside[1] > 0.2 && prior.outside[1] < 0.8)
  }
}
