import Foundation
import Imaging
import Parallel
import Testing

@testable import Anatomy

@Suite struct CounterRandomTests {
  @Test func numbersDependOnSeedStreamAndCounterAlone() {
    let random = CounterRandom(seed: 1, stream: 2)
    #expect(random.bits(7) == CounterRandom(seed: 1, stream: 2).bits(7))
    let others = [
      random.bits(8), CounterRandom(seed: 2, stream: 2).bits(7),
      CounterRandom(seed: 1, stream: 3).bits(7),
    ]
    #expect(!others.contains(random.bits(7)))
  }

  @Test func momentsAreThoseOfTheirDistributions() {
    let random = CounterRandom(seed: 9, stream: 0)
    let count = 100_000
    let uniform = (0..<count).map { random.uniform($0) }
    #expect(uniform.allSatisfy { $0 >= 0 && $0 < 1 })
    // Five standard errors.
    #expect(abs(uniform.reduce(0, +) / Double(count) - 0.5) < 0.005)
    let normal = (0..<count / 2).flatMap { n -> [Double] in
      let (a, b) = random.normals(n)
      return [a, b]
    }
    #expect(abs(normal.reduce(0, +) / Double(count)) < 0.016)
    #expect(abs(normal.reduce(0) { $0 + $1 * $1 } / Double(count) - 1) < 0.023)
  }

  @Test func fieldsHaveTheDeviationAskedFor() {
    let field = Displacement.random(
      over: Fixture.grid(200, 200, 200), spacing: 10, deviation: 3,
      CounterRandom(seed: 1, stream: 1))
    let squares = field.values.reduce(0.0) { $0 + Double(($1 * $1).sum()) }
    let deviation = (squares / Double(3 * field.values.count)).squareRoot()
    // Edge nodes, whose neighbours repeat, vary a little more.
    #expect(deviation > 2.7 && deviation < 3.6)
  }
}

@Suite struct SyntheticScanTests {
  private let grid = SyntheticScan.tiltedGrid(
    extents: SIMD3(40, 44, 38), spacing: 3, around: SIMD3(2, 1, 0))

  @Test func aSeedGivesOneScanOnAnyNumberOfThreads() throws {
    let prior = try Fixture.bodyPrior()
    let threads = Parallel.threads
    defer { Parallel.threads = threads }
    Parallel.threads = 1
    let one = SyntheticScan(prior, on: grid)
    Parallel.threads = 3
    let three = SyntheticScan(prior, on: grid)
    #expect(one.scan.voxels == three.scan.voxels)
    #expect(one.truth.voxels == three.truth.voxels)
    var settings = SyntheticScan.Settings()
    settings.seed = 2
    let other = SyntheticScan(prior, on: grid, settings: settings)
    #expect(one.scan.voxels != other.scan.voxels)
    #expect(one.truth.voxels != other.truth.voxels)
  }

  @Test func tissuesHaveTheirBrightness() throws {
    let prior = try Fixture.bodyPrior()
    func means(_ contrast: SyntheticContrast) -> [Int32: Double] {
      var settings = SyntheticScan.Settings()
      settings.contrast = contrast
      let drawn = SyntheticScan(prior, on: grid, settings: settings)
      #expect(drawn.scan.voxels.allSatisfy { $0 >= 0 && $0 == $0.rounded() })
      let values = Dictionary(
        grouping: drawn.truth.voxels.indices, by: { drawn.truth.voxels[$0] })
      return values.mapValues { voxels in
        voxels.reduce(0) { $0 + Double(drawn.scan.voxels[$1]) } / Double(voxels.count)
      }
    }
    let (t1, t2) = (means(.t1), means(.t2))
    #expect(Set(t1.keys) == [0, 1, 2, 9])
    // Label 2 is white matter, label 1 grey.
    #expect((t1[2] ?? 0) > (t1[1] ?? 0) && (t2[2] ?? 0) < (t2[1] ?? 0))
    #expect((t1[0] ?? 999) < 100)
  }
}
