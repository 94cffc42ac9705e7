import Foundation
import Imaging
import Networks
import Testing

@testable import Anatomy

/// Rounding of probabilities, and priors put together from planes of them.
@Suite struct ProbabilityBytesTests {
  /// Softmax-like rows: one to all labels with a share, a floor below all of them.
  private func rows(_ voxels: Int, labels: Int, seed: UInt64) -> [Float] {
    var random = Philox(seed: seed)
    let padded = (labels + 15) / 16 * 16
    var values = [Float](repeating: 0, count: voxels * padded)
    for voxel in 0..<voxels {
      let sharpness: [Float] = [0.5, 2, 8, 40]
      let sharp = sharpness[Int.random(in: 0..<4, using: &random)]
      var masses: [Float] = []
      for _ in 0..<labels { masses.append(exp2(min(60, sharp * random.normal()))) }
      let sum = masses.reduce(0, +)
      let all = 1 + 1e-4 * Float(labels)
      for label in 0..<labels {
        values[voxel * padded + label] = (masses[label] / sum + 1e-4) / all
      }
    }
    return values
  }

  @Test(arguments: [1, 2, 15, 16, 17, 42, 254])
  func bytesSumToExactlyOne(labels: Int) {
    let voxels = 500
    let padded = (labels + 15) / 16 * 16
    let values = rows(voxels, labels: labels, seed: UInt64(labels))
    let plane = values.withUnsafeBufferPointer { PriorPlane($0, voxels: voxels) }
    #expect(plane.counts.count == voxels)
    var next = 0
    for voxel in 0..<voxels {
      let entries = plane.entries[next..<next + Int(plane.counts[voxel])]
      next += entries.count
      #expect(entries.reduce(0) { $0 + Int($1 & 255) } == 255)
      #expect(zip(entries, entries.dropFirst()).allSatisfy { $0 >> 8 < $1 >> 8 })
      let row = values[voxel * padded..<voxel * padded + labels].map { $0 }
      for label in 0..<labels {
        let found = entries.first { Int($0 >> 8) == label }.map { Float($0 & 255) / 255 } ?? 0
        // What is below half a byte goes, and the rest shares it.
        #expect(abs(found - row[label]) < 1.01 / 255 + 0.5 * Float(labels) / 255 * row[label])
      }
    }
    #expect(next == plane.entries.count)
  }

  @Test func roundingGivesEqualSharesToTheFirst() {
    func quantise(_ shares: [Float]) -> [Int: UInt8] {
      var (shares, stored): ([Float], [Int: UInt8]) = (shares, [:])
      let sum = shares.reduce(0, +)
      shares.withUnsafeMutableBufferPointer { shares in
        ProbabilityBytes.quantise(shares, sum: sum) { stored[$0] = $1 }
      }
      return stored
    }
    #expect(quantise([1, 1, 1, 0.001]) == [0: 85, 1: 85, 2: 85])
    #expect(quantise([1, 1]) == [0: 128, 1: 127])
    #expect(quantise([5]) == [0: 255])
  }

  /// Rounding may make a tie, never another winner.
  @Test func theMostProbableStaysFirst() {
    let (voxels, labels) = (4000, 33)
    let values = rows(voxels, labels: labels, seed: 9)
    let plane = values.withUnsafeBufferPointer { PriorPlane($0, voxels: voxels) }
    var next = 0
    for voxel in 0..<voxels {
      let entries = plane.entries[next..<next + Int(plane.counts[voxel])]
      next += entries.count
      let row = values[voxel * 48..<voxel * 48 + labels]
      let best = row.indices.max { row[$0] < row[$1] }.map { $0 - voxel * 48 } ?? 0
      let most = entries.map { $0 & 255 }.max()
      #expect(entries.contains { Int($0 >> 8) == best && $0 & 255 == most })
    }
  }

  @Test func aVoxelWithoutAnyProbabilityIsBackground() {
    let values: [Float] = (0..<16).map { $0 == 3 ? .nan : 0 }
    let plane = values.withUnsafeBufferPointer { PriorPlane($0, voxels: 1) }
    #expect(plane.entries == [255])
  }

  @Test func planesMakeThePriorThatLabelsMake() throws {
    let grid = Fixture.grid(5, 4, 3)
    let table = try Fixture.table(Fixture.label(1), Fixture.label(2))
    var random = Philox(seed: 4)
    let first = (0..<grid.count).map { _ in UInt8.random(in: 0...255, using: &random) }
    let second = first.map { UInt8.random(in: 0...(255 - $0), using: &random) }
    func value(_ label: Int, _ voxel: SIMD3<Int>) -> UInt8 {
      let at = grid.index(voxel.x, voxel.y, voxel.z)
      return [255 - first[at] - second[at], first[at], second[at]][label]
    }
    let expected = Fixture.prior(grid, table, value)
    let planes = (0..<3).map { z in
      let values = (0..<20).flatMap { i in
        (0..<16).map { label in
          label < 3 ? Float(value(label, SIMD3(i % 5, i / 5, z))) / 255 : 0
        }
      }
      return values.withUnsafeBufferPointer { PriorPlane($0, voxels: 20) }
    }
    let found = LocationPrior(grid: grid, table: table, outside: [1, 0, 0], planes: planes)
    #expect(found.starts == expected.starts)
    #expect(found.entries == expected.entries)
  }
}
