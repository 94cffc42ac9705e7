import Imaging
import Testing

@testable import Anatomy

/// Anatomies of a few millimetres, which samples of 8 mm3 are too large for.
@Suite struct SmallAnatomyTests {
  /// The body of the fixtures, 20 times smaller.
  private func prior(spacing: Double = 0.1) throws -> LocationPrior {
    let body = try Fixture.bodyPrior()
    let grid = Fixture.grid(64, 72, 60, spacing: spacing)
    let counts = LabelCounts(grid: grid, labels: body.table.count)
    let map = Fixture.map(grid) { Fixture.bodyLabel($0 * (2 / spacing)) }
    try counts.add(try ChannelMap(map, table: body.table, path: "body").channels)
    return counts.prior(table: body.table, smoothing: spacing)
  }

  @Test func tooFewSamplesAreToldAsSuch() throws {
    let small = try prior()
    let map = Fixture.map(small.grid) { Fixture.bodyLabel($0 * 20) }
    let scan = Fixture.scan(of: map, [0: 8, 1: 100, 2: 60, 9: 140], noise: 8)
    let error = try #require(throws: AnatomyError.self) {
      try Segmenter(prior: small).segment(scan, path: "mouse.nii")
    }
    guard case .tooFewSamples(let path, let found, let needed) = error else {
      Issue.record("\(error)")
      return
    }
    #expect(path == "mouse.nii" && found < needed && needed == 1000)
  }

  @Test func nothingIsDrawnOnTooSmallAnAtlas() throws {
    func drawing(_ spacing: Double) throws {
      let prior = try prior(spacing: spacing)
      let space = AtlasSpace(prior)
      let maps = try AlignedMaps(["body"], in: space) { _ in
        Fixture.map(prior.grid) { Fixture.bodyLabel($0 * (2 / spacing)) }
      }
      _ = try ContextDrawing(maps, prior: prior, augmentation: .none)
    }
    let error = try #require(throws: AnatomyError.self) { try drawing(0.1) }
    guard case .tooFewSamples("the atlas", let found, _) = error else {
      Issue.record("\(error)")
      return
    }
    #expect(found < 1000)
    try drawing(1)
  }

  /// Headers whose unit of length is wrong: nothing is looked for in a body as large as a house.
  @Test func sizesThatNoBodyHasAreRefused() throws {
    let segmenter = try Segmenter(prior: try Fixture.bodyPrior())
    func check(_ extents: SIMD3<Int>, _ spacing: Double, _ reason: String) {
      let grid = Fixture.grid(extents.x, extents.y, extents.z, spacing: spacing)
      let scan = Volume(grid: grid, voxels: (0..<grid.count).map { Float($0 % 7) })
      #expect(throws: AnatomyError.hopelessFit(path: "s", reason: reason)) {
        try segmenter.segment(scan, path: "s")
      }
    }
    let most = "expected 4000.0 mm at most along one axis and 1500.0 along the others"
    check(
      SIMD3(160, 150, 10), 12, "a field of view of 1920.0 x 1800.0 x 120.0 mm, " + most)
    check(SIMD3(10, 10, 401), 10, "a field of view of 100.0 x 100.0 x 4010.0 mm, " + most)
    check(
      SIMD3(20, 20, 20), 0.0001, "voxels of 0.0001 x 0.0001 x 0.0001 mm, expected 0.001 mm at least"
    )
  }

  @Test func aFieldOfViewBesideTheStructuresIsToldAsSuch() throws {
    let prior = try Fixture.bodyPrior()
    var settings = Segmenter.Settings()
    settings.transform = Affine(
      columns: (SIMD3(1, 0, 0), SIMD3(0, 1, 0), SIMD3(0, 0, 1)), translation: SIMD3(300, 0, 0))
    let scan = Fixture.scan(
      of: Fixture.map(prior.grid, Fixture.bodyLabel), [0: 8, 1: 100, 2: 60, 9: 140], noise: 8)
    #expect(
      throws: AnatomyError.hopelessFit(
        path: "scan", reason: "the structures of interest lie outside its field of view")
    ) { try Segmenter(prior: prior, settings: settings).segment(scan, path: "scan") }
  }
}
