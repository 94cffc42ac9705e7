import Parallel
import Testing

@testable import Imaging

@Suite struct ResamplerTests {
  private let grid = Grid(
    extents: SIMD3(9, 8, 7),
    affine: Affine(rows: [[-1.1, 0.1, 0, 4], [0, 0.2, 1.2, -3], [0.1, -1, 0.1, 2]]))
  private let target = Grid(
    extents: SIMD3(11, 10, 9),
    affine: Affine(rows: [[0.8, 0, 0.1, -5], [0.1, 0.9, 0, -4], [0, 0, 0.7, -6]]))

  /// The plain rule: the outermost voxels go on for half a voxel, nothing beyond.
  private func weights(_ point: SIMD3<Double>) -> [(SIMD3<Int>, Double)] {
    let last = SIMD3<Double>(grid.extents) - SIMD3(repeating: 1)
    for axis in 0..<3 where point[axis] < -0.5 || point[axis] > last[axis] + 0.5 { return [] }
    let p = point.clamped(lowerBound: .zero, upperBound: last)
    var found: [(SIMD3<Int>, Double)] = []
    for z in 0..<grid.extents.z {
      for y in 0..<grid.extents.y {
        for x in 0..<grid.extents.x {
          let distance = SIMD3(Double(x), Double(y), Double(z)) - p
          let w = (0..<3).reduce(1.0) { $0 * max(0, 1 - abs(distance[$1])) }
          if w > 0 { found.append((SIMD3(x, y, z), w)) }
        }
      }
    }
    return found
  }

  private func forEachTarget(_ body: (Int, [(SIMD3<Int>, Double)]) -> Void) {
    let map = grid.affine.inverse * target.affine
    for z in 0..<target.extents.z {
      for y in 0..<target.extents.y {
        for x in 0..<target.extents.x {
          body(target.index(x, y, z), weights(map(SIMD3(Double(x), Double(y), Double(z)))))
        }
      }
    }
  }

  @Test func linearAgainstThePlainRule() {
    let source = Volume(grid: grid, voxels: (0..<grid.count).map { Float($0 * 7919 % 101) })
    let result = Resampler<Float>.linear(source, onto: target, outside: -9).volume()
    var inside = 0
    forEachTarget { index, weights in
      let expected =
        weights.isEmpty
        ? -9 : weights.reduce(0.0) { $0 + Double(source[$1.0.x, $1.0.y, $1.0.z]) * $1.1 }
      // Weights in single precision: a few parts in ten million of values up to 100.
      #expect(abs(Double(result.voxels[index]) - expected) < 1e-4)
      inside += weights.isEmpty ? 0 : 1
    }
    #expect(inside > 100 && inside < target.count)
  }

  @Test func labelsAgainstThePlainVote() {
    let source = Volume(grid: grid, voxels: (0..<grid.count).map { Int32($0 * 7919 % 5) })
    let result = Resampler<Int32>.labels(source, onto: target, outside: 77).volume()
    forEachTarget { index, weights in
      var votes: [Int32: Double] = [:]
      for (place, weight) in weights {
        votes[source[place.x, place.y, place.z], default: 0] += weight
      }
      let most = votes.values.max() ?? 0
      let winners = votes.filter { $0.value > most - 1e-4 }.keys
      #expect(weights.isEmpty ? result.voxels[index] == 77 : winners.contains(result.voxels[index]))
    }
  }

  @Test func tiesGoToTheLowerLabel() {
    let pair = Grid(extents: SIMD3(2, 1, 1), affine: .identity)
    let middle = Grid(
      extents: SIMD3(1, 1, 1),
      affine: Affine(rows: [[1, 0, 0, 0.5], [0, 1, 0, 0], [0, 0, 1, 0]]))
    for voxels: [Int32] in [[3, 8], [8, 3]] {
      let source = Volume(grid: pair, voxels: voxels)
      #expect(Resampler<Int32>.labels(source, onto: middle).volume().voxels == [3])
    }
  }

  @Test func nearest() {
    let source = Volume(grid: grid, voxels: (0..<grid.count).map { Int32($0) })
    let result = Resampler<Int32>.nearest(source, onto: target, outside: -1).volume()
    forEachTarget { index, weights in
      guard let most = weights.map(\.1).max() else {
        #expect(result.voxels[index] == -1)
        return
      }
      let best = weights.filter { $0.1 > most - 1e-6 }.map {
        Int32(grid.index($0.0.x, $0.0.y, $0.0.z))
      }
      #expect(best.contains(result.voxels[index]))
    }
  }

  @Test func coincidingVoxelsAreExact() {
    let source = Volume(
      grid: grid, voxels: (0..<grid.count).map { Float($0) * 0.1 })
    let order = VoxelOrder(from: grid, to: Orientation(closestTo: target.affine))
    let turned = order.apply(source)
    #expect(Resampler<Float>.linear(source, onto: turned.grid).volume().voxels == turned.voxels)
    #expect(Resampler<Float>.linear(turned, onto: grid).volume().voxels == source.voxels)
  }

  @Test func coarserVoxelsAverage() {
    let fine = Grid(extents: SIMD3(8, 8, 8), affine: .identity)
    let coarse = fine.coarsened(by: SIMD3(repeating: 2))
    var checks = Volume<Float>(grid: fine, repeating: 0)
    for index in 0..<512 {
      let sum = index % 8 + index / 8 % 8 + index / 64
      checks.voxels[index] = Float(sum % 2)
    }
    let result = Resampler<Float>.linear(checks, onto: coarse).volume()
    #expect(result.voxels.allSatisfy { abs($0 - 0.5) < 1e-6 })
  }

  @Test func missingValues() {
    let line = Grid(extents: SIMD3(3, 1, 1), affine: .identity)
    let source = Volume<Float>(grid: line, voxels: [4, .nan, 8])
    let target = Grid(
      extents: SIMD3(9, 1, 1),
      affine: Affine(rows: [[0.25, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]]))
    let result = Resampler<Float>.linear(source, onto: target).volume().voxels
    #expect(result[..<3] == [4, 4, 4])
    #expect(result[3...5].allSatisfy { $0.isNaN })
    #expect(result[6...] == [8, 8, 8])
  }

  @Test func slabsAreTheVolume() {
    let source = Volume(grid: grid, voxels: (0..<grid.count).map { Float($0 * 31 % 17) })
    let resampler = Resampler<Float>.linear(source, onto: target)
    let whole = resampler.volume().voxels
    #expect((0..<9).flatMap { resampler.slab($0..<$0 + 1) } == whole)
    #expect(resampler.slab(2..<7) == Array(whole[220..<770]))
  }
}
