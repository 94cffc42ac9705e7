import Imaging
import Testing

@testable import Anatomy

/// What a segmentation is doubted for, in heads and in other atlases.
@Suite struct QualityCheckTests {
  private static let grid = Fixture.grid(20, 20, 20, spacing: 4)

  /// Labels of ellipsoids by their centres, on 4 mm voxels.
  private func atlas(
    _ parts: [(label: Int32, centre: SIMD3<Double>, radius: Double)], mean: Double = 4000
  ) throws -> Atlas {
    let table = try LabelTable(
      labels: [.background] + Set(parts.map(\.label)).sorted().map { Fixture.label($0) })
    let counts = LabelCounts(grid: Self.grid, labels: table.count)
    let map = Fixture.map(Self.grid) { p in
      parts.first {
        Fixture.inside(p, centre: $0.centre, radii: SIMD3(repeating: $0.radius))
      }?.label ?? 0
    }
    try counts.add(try ChannelMap(map, table: table, path: "map").channels)
    let volume = VolumeStatistics(
      count: 3, mean: mean, deviation: 0, least: 0.9 * mean, most: 1.1 * mean)
    return Atlas(
      name: "organs", space: "organs", prior: counts.prior(table: table, smoothing: 3),
      volumes: table.labels.map { $0.index == 0 ? VolumeStatistics() : volume },
      origin: AtlasOrigin(maps: 3, mirrored: false, smoothing: 3, refinements: 0))
  }

  /// Checks of a segmentation whose structures all have the volumes given.
  private func checks(
    _ atlas: Atlas, soft: Double = 4000, hard: Double = 4000, information: Double = 1,
    gain: Double? = -0.1
  ) -> [String: QualityCheck] {
    let fit = Fixture.fit(
      Self.grid, means: [1, 100], variance: 25, scale: IntensityScale(low: 0, high: 200), lanes: 16)
    let volumes = atlas.prior.table.labels.map {
      StructureVolume(
        voxels: $0.index == 0 ? 0 : Int(hard / 64), hard: $0.index == 0 ? 0 : hard,
        soft: $0.index == 0 ? 0 : soft)
    }
    var quality = SegmentationQuality(
      information: information, tissueInformation: information, outsideView: 0,
      gainOfHalfTurn: gain, largestDisplacement: 0)
    quality.meanEntropy = 0.1
    let result = Segmentation(
      labels: Volume(grid: Self.grid, voxels: [Int32](repeating: 0, count: Self.grid.count)),
      posteriors: nil, entropy: nil, order: VoxelOrder(from: Self.grid, to: .canonical),
      volumes: volumes, transform: .identity, kind: .whole, model: fit.model, quality: quality)
    let all = QualityCheck.all(result, atlas: atlas)
    return Dictionary(all.map { ($0.name, $0) }) { first, _ in first }
  }

  /// Five of different sizes, on no axis.
  private func several() throws -> Atlas {
    try atlas([
      (1, SIMD3(-18, 10, 12), 14), (2, SIMD3(16, 14, 8), 10), (3, SIMD3(8, -18, -10), 12),
      (4, SIMD3(-16, -14, -16), 9), (5, SIMD3(2, 2, -22), 8),
    ])
  }

  private func single() throws -> Atlas { try atlas([(1, SIMD3(2, 0, -2), 16)]) }

  @Test func structuresAreTooSmallOrTooLargeByVoxelsOrByProbabilities() throws {
    let atlas = try several()
    #expect(checks(atlas)["volumes"]?.verdict == .pass)
    #expect(checks(atlas, soft: 3000, hard: 3000)["volumes"]?.verdict == .pass)
    for (soft, hard) in [(3000.0, 400.0), (400, 3000), (5000, 9000), (9000, 5000)] {
      let found = try #require(checks(atlas, soft: soft, hard: hard)["volumes"])
      #expect(found.verdict == .fail && found.value == 5, "\(soft), \(hard)")
      let odd = soft + hard < 4000 ? "0.4 ml" : "9.0 ml"
      #expect(found.message.contains("label-1 \(odd) instead of 3.6 ml to 4.4 ml"))
    }
  }

  @Test func halfTurnsAreNoReasonToDoubtWhereTheAtlasDoesNotTellThemApart() throws {
    #expect(checks(try single(), gain: 0.04)["orientation"] == nil)
    let several = try several()
    #expect(checks(several, gain: -0.1)["orientation"]?.verdict == .pass)
    #expect(checks(several, gain: 0.04)["orientation"]?.verdict == .warn)
    #expect(checks(several, gain: nil)["orientation"] == nil)
  }

  @Test func anAtlasOfOneStructureHasLessToExplain() throws {
    let (single, several) = (try single(), try several())
    #expect(checks(several, information: 0.2)["information"]?.verdict != .pass)
    #expect(checks(single, information: 0.2)["information"]?.verdict == .pass)
    #expect(checks(single, information: 0.2)["tissue-information"]?.verdict == .pass)
    for atlas in [single, several] {
      #expect(checks(atlas, information: 0)["information"]?.verdict == .fail)
    }
  }

  @Test func whatAnAtlasCanTellIsBoundedByItsGroups() throws {
    func information(_ atlas: Atlas) -> PriorInformation {
      PriorInformation(
        GroupPrior(atlas.prior, factor: 2),
        isTarget: atlas.prior.table.groups.indices.map { $0 > 0 })
    }
    let (single, several) = (information(try single()), information(try several()))
    #expect(single.ofPlace > 0 && single.ofPlace < 0.694)
    #expect(several.ofPlace > single.ofPlace)
    #expect(single.ofHalfTurn >= 0 && single.ofHalfTurn < 0.2)
    #expect(several.ofHalfTurn > 0.4)
  }
}
