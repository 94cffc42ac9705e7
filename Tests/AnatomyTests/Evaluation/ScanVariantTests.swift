import Foundation
import Imaging
import Testing

@testable import Anatomy

/// Changes of scans that measurements are made on.
struct ScanVariantTests {
  private static let reference = SmallHead.map()
  /// Tissues as T1 has them, each varying by 2 from voxel to voxel; zero around the head.
  private static let scan = Volume(
    grid: reference.grid,
    voxels: reference.voxels.enumerated().map { voxel, label in
      mean(label).map { $0 + (voxel % 2 == 0 ? 1 : -1) } ?? 0
    })

  private static func mean(_ label: Int32) -> Float? {
    switch label {
    case 2, 41: 100
    case 3, 42: 60
    case 4, 43, 24: 20
    case 901, 902: 70
    default: nil
    }
  }

  private func changed(
    _ variant: ScanVariant
  ) throws -> (scan: Volume<Float>, reference: Volume<Int32>) {
    try #require(
      variant.apply(to: Self.scan, reference: Self.reference, table: SmallHead.table()))
  }

  /// Mean intensity of labels, and how many mm3 they fill.
  private func measures(
    _ labels: Set<Int32>, _ known: (scan: Volume<Float>, reference: Volume<Int32>)
  ) -> (mean: Double, volume: Double) {
    let values = zip(known.scan.voxels, known.reference.voxels).filter { labels.contains($1) }
    let sum = values.reduce(0) { $0 + Double($1.0) }
    return (
      sum / Double(values.count), Double(values.count) * known.reference.grid.voxelVolume
    )
  }

  @Test func invertedScansKeepTheirZeros() throws {
    let result = try changed(.inverted)
    #expect(result.reference.voxels == Self.reference.voxels)
    // 19 to 101 among what is not zero.
    let wrong = zip(result.scan.voxels, Self.scan.voxels).count { new, old in
      old == 0 ? new != 0 : abs(new - (120 - old)) > 1e-3
    }
    #expect(wrong == 0)
  }

  @Test func tissuesGetTheMeansOfT2AndKeepTheirTexture() throws {
    let result = try changed(.t2)
    let (fluid, cortex, white) = (
      measures([4, 43, 24], result).mean, measures([3, 42], result).mean,
      measures([2, 41], result).mean
    )
    #expect(abs(cortex / fluid - 0.58) < 1e-3 && abs(white / fluid - 0.4) < 1e-3)
    let grid = Self.reference.grid
    // Deep in white matter, beside each other.
    let voxel = grid.index(grid.extents.x / 2 + 2, grid.extents.y / 2, 12)
    #expect(Self.reference.voxels[voxel] == 41 && Self.reference.voxels[voxel + 1] == 41)
    let (new, old) = (result.scan.voxels, Self.scan.voxels)
    #expect(abs((new[voxel] - new[voxel + 1]) - (old[voxel] - old[voxel + 1])) < 1e-3)
  }

  @Test func densitiesPutCortexBetweenFluidAndWhiteMatter() throws {
    let result = try changed(.pd)
    #expect(result.reference.voxels == Self.reference.voxels)
    for (labels, mean) in [([4, 43, 24], 1000), ([3, 42], 900), ([2, 41], 700)]
      as [(Set<Int32>, Double)]
    {
      #expect(abs(measures(labels, result).mean - mean) < 10, "\(labels)")
    }
    let zeros = zip(result.scan.voxels, Self.scan.voxels).count { ($0 == 0) != ($1 == 0) }
    #expect(zeros == 0)
    // Noise of 2 %, and what the texture of the scan becomes.
    let white = zip(result.scan.voxels, Self.reference.voxels).filter { $1 == 41 }.map(\.0)
    let spread = white.reduce(0) { $0 + pow($1 - 700, 2) } / Float(white.count)
    #expect((18...25).contains(spread.squareRoot()), "\(spread.squareRoot())")
  }

  @Test func coilsShadeSmoothly() throws {
    let result = try changed(.shaded)
    #expect(result.reference.voxels == Self.reference.voxels)
    let factors = zip(result.scan.voxels, Self.scan.voxels).map { $1 == 0 ? 1 : $0 / $1 }
    let most = try #require(factors.max())
    let least = try #require(factors.min())
    #expect((1.3...6).contains(most / least), "\(least) to \(most)")
    let grid = Self.reference.grid
    let steps = factors.indices.dropFirst().filter {
      $0 % grid.extents.x > 0 && Self.scan.voxels[$0] != 0 && Self.scan.voxels[$0 - 1] != 0
    }.map { abs(factors[$0] / factors[$0 - 1] - 1) }
    #expect(try #require(steps.max()) < 0.03)
    let zeros = zip(result.scan.voxels, Self.scan.voxels).count { ($0 == 0) != ($1 == 0) }
    #expect(zeros == 0)
  }

  @Test(arguments: [(ScanVariant.thick, SIMD3(1, 1, 5.0)), (.fine, SIMD3(repeating: 0.7))])
  func voxelsOfOtherSizesHoldTheSameHead(variant: ScanVariant, spacing: SIMD3<Double>) throws {
    let result = try changed(variant)
    let found = result.scan.grid.spacing
    #expect(
      (0..<3).allSatisfy { abs(found[$0] - spacing[$0]) < 1e-6 }
        && result.reference.grid == result.scan.grid)
    for labels in [[2, 41], [3, 42], [4, 43]] as [Set<Int32>] {
      let (before, after) = (
        measures(labels, (Self.scan, Self.reference)), measures(labels, result)
      )
      #expect(abs(after.volume / before.volume - 1) < 0.1, "\(labels)")
      // Thin structures mix with their neighbours in thick slices.
      #expect(abs(after.mean - before.mean) < (variant == .thick ? 20 : 8), "\(labels)")
    }
  }

  @Test func ventriclesGrowSixfoldAndTheScanWithThem() throws {
    let result = try changed(.wide)
    func change(_ labels: Set<Int32>) -> Double {
      measures(labels, result).volume / measures(labels, (Self.scan, Self.reference)).volume
    }
    #expect(abs(change([4, 43]) / 6 - 1) < 0.15)
    #expect(abs(change([901, 902]) - 1) < 0.2)
    // What the labels say and what the scan shows moved alike: only borders are mixtures.
    #expect(abs(measures([4, 43], result).mean - 20) < 8)
    #expect(abs(measures([2, 41], result).mean - 100) < 4)
    let filled = zip(result.scan.voxels, result.reference.voxels)
      .count { ($0 == 0) != ($1 == 0) }
    #expect(filled == 0)
  }

  @Test func lesionsLieInWhiteMatterBesideVentriclesAndLookLikeCortex() throws {
    let result = try changed(.lesions)
    #expect(result.reference.voxels == Self.reference.voxels)
    let grid = Self.reference.grid
    let squared = DistanceTransform.squared(
      to: Self.reference.voxels.map { [4, 43].contains($0) }, extents: grid.extents,
      spacing: grid.spacing)
    var (lesions, core, elsewhere) = (0, 0, 0)
    for (voxel, value) in result.scan.voxels.enumerated() where value != Self.scan.voxels[voxel] {
      lesions += 1
      let isWhite = [2, 41].contains(Self.reference.voxels[voxel])
      if !isWhite || squared[voxel] > 14 * 14 { elsewhere += 1 }
      if abs(value - 60) < 1.5 { core += 1 }
    }
    #expect(elsewhere == 0)
    #expect((18_000...20_000).contains(lesions), "\(lesions) mm3")
    #expect(core > lesions / 2, "\(core) of \(lesions)")
  }

  @Test(arguments: [ScanVariant.wide, .lesions, .pd])
  func whatIsNotThereIsNotChanged(variant: ScanVariant) throws {
    let plain = Volume(
      grid: Self.reference.grid, voxels: Self.reference.voxels.map { $0 == 24 ? $0 : 0 })
    #expect(
      variant.apply(to: Self.scan, reference: plain, table: try SmallHead.table()) == nil)
  }
}
