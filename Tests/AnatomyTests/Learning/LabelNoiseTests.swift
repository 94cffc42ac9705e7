import Imaging
import Testing

@testable import Anatomy

/// Labels drawn from probabilities, alike in neighbours.
@Suite struct LabelNoiseTests {
  private static let grid = Fixture.grid(40, 36, 30, spacing: 1)
  /// Padded to 16, as the network's are.
  private static let shares: [Float] = [0.6, 0.3, 0.1]

  private func draw(seed: UInt64, number: UInt64) -> [UInt8] {
    let grid = Self.grid
    let noise = LabelNoise(over: grid, labels: 3, seed: seed, number: number)
    let padded = Self.shares + [Float](repeating: 0, count: 13)
    let plane = (0..<grid.extents.x * grid.extents.y).flatMap { _ in padded }
    return (0..<grid.extents.z).flatMap { z in
      plane.withUnsafeBufferPointer { noise.draw(plane: z, $0) }
    }
  }

  @Test func labelsAreAsFrequentAsTheyAreProbable() {
    var counts = [0.0, 0.0, 0.0]
    for number in UInt64(0)..<20 {
      for label in draw(seed: 1, number: number) { counts[Int(label)] += 1 }
    }
    let total = counts.reduce(0, +)
    for (count, share) in zip(counts, Self.shares) {
      #expect(abs(count / total - Double(share)) < 0.02, "\(counts)")
    }
  }

  @Test func neighboursAreAlike() {
    let labels = draw(seed: 1, number: 1)
    let same = (1..<labels.count).count { labels[$0] == labels[$0 - 1] }
    // By chance 0.6^2 + 0.3^2 + 0.1^2 = 0.46 would be.
    #expect(Double(same) / Double(labels.count) > 0.75)
  }

  @Test func numberAndSeedDecide() {
    #expect(draw(seed: 1, number: 1) == draw(seed: 1, number: 1))
    #expect(draw(seed: 1, number: 1) != draw(seed: 1, number: 2))
    #expect(draw(seed: 1, number: 1) != draw(seed: 2, number: 1))
  }

  @Test func whatIsCertainIsTaken() {
    let noise = LabelNoise(over: Self.grid, labels: 3, seed: 1, number: 1)
    var plane = [Float](repeating: 0, count: 40 * 36 * 16)
    for voxel in 0..<40 * 36 { plane[16 * voxel + voxel % 3] = 1 }
    let labels = plane.withUnsafeBufferPointer { noise.draw(plane: 7, $0) }
    #expect(labels.indices.allSatisfy { Int(labels[$0]) == $0 % 3 })
  }
}
