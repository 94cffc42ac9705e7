import Foundation
import Imaging
import Testing

@testable import Anatomy

@Suite struct AlignedMapsTests {
  @Test func mapsInAnyPlaceComeToTheAtlas() throws {
    let space = try SmallHead.space()
    let pose = Affine(rows: [[1.02, 0.05, 0, 3], [-0.04, 0.97, 0.03, -2], [0.02, 0, 1.01, 1]])
    let map = try AlignedMap(
      SmallHead.map { pose($0) }, path: "folder/anna.nii.gz", in: space, mirrors: false)
    #expect(map.name == "anna")
    #expect(map.mirrored == nil)
    let truth = try ChannelMap(SmallHead.map(), table: space.table, path: "").channels
    #expect(try #require(LabelDice(map.channels, truth, table: space.table).mean) > 0.9)
    // The map shows at p what the atlas has at pose(p).
    #expect(pose.largestDifference(from: map.affine, over: SIMD3(20, 20, 20)) < 0.5)
    #expect(map.rms < 0.3)
    let ventricle: Double = 4 / 3 * Double.pi * 180 / pose.determinant
    #expect(abs(map.volumes[7] / ventricle - 1) < 0.05)
    #expect(map.volumes.reduce(0, +) == Double(SmallHead.grid.count))
  }

  @Test func mirrorImagesHaveTheOtherSidesLabels() throws {
    let maps = try SmallHead.aligned()
    let map = try #require(maps.maps.first)
    #expect(map.path == "head.nii.gz")
    let image = try #require(map.mirrored)
    // Left-Lateral-Ventricle and its partner: each keeps its side of the atlas.
    for label in [3, 7] {
      let partner = try #require(maps.space.table.partnerOfLabel[label])
      let ratio = Double(image.count(of: label)) / Double(map.channels.count(of: partner))
      #expect(abs(ratio - 1) < 0.1, "\(label)")
      let channels = ChannelMap(grid: SmallHead.grid, channels: image)
      let centre = try #require(channels.centroids(labels: 10)[label]).centre
      #expect(norm(centre - (try #require(maps.space.targets[label]))) < 1.5)
    }
    // What lies left is larger in the map, and smaller in its image.
    #expect(map.channels.count(of: 8) > map.channels.count(of: 9))
    #expect(image.count(of: 8) < image.count(of: 9))
  }

  @Test func otherOrgansUseThePriorsCentroids() throws {
    let (atlas, _) = try AtlasRequest(paths: (0..<4).map(String.init)) { path in
      Fixture.organs(Int(path) ?? 0)
    }.build()
    let space = AtlasSpace(atlas.prior)
    let map = try AlignedMap(Fixture.organs(7), path: "7", in: space)
    #expect(map.mirrored == nil && map.channels.count == space.grid.count)
    let dice = LabelDice(
      map.channels, atlas.prior.mostProbableChannels(), table: space.table)
    #expect(try #require(dice.mean) > 0.85)
  }

  @Test func centroidsAreThoseOfTheProbabilities() throws {
    let grid = Fixture.grid(5, 3, 3)
    let table = try Fixture.table(Fixture.label(4), Fixture.label(6))
    let prior = Fixture.prior(grid, table) { label, voxel in
      let share: UInt8 = voxel == SIMD3(1, 1, 1) ? 85 : voxel == SIMD3(4, 1, 1) ? 170 : 0
      return label == 1 ? share : label == 0 ? 255 - share : 0
    }
    #expect(prior.centroids[0] == nil && prior.centroids[2] == nil)
    let centre = try #require(prior.centroids[1])
    #expect(norm(centre - grid.affine(SIMD3(3, 1, 1))) < 1e-12)
    #expect(AtlasSpace(prior).targets[1] == centre)
  }

  @Test func headsUseTheStandardCentroids() throws {
    let table = try LabelTable(
      labels: [.background] + CentroidAlignment.mni305.keys.map { Fixture.label($0) })
    let prior = Fixture.prior(Fixture.grid(2, 2, 2), table) { label, _ in label == 0 ? 255 : 0 }
    let coarse = Fixture.grid(3, 3, 3, spacing: 2)
    let space = AtlasSpace(prior, grid: coarse)
    #expect(space.grid == coarse)
    #expect(space.targets == CentroidAlignment.standardTargets(for: table))
  }

  @Test func labelsBeyondTheFieldOfViewAreMissing() throws {
    let space = try SmallHead.space()
    let cut = Fixture.map(SmallHead.grid) { $0.z < -14 ? 0 : SmallHead.value($0) }
    let map = try AlignedMap(cut, path: "cut", in: space)
    for channels in [map.channels, try #require(map.mirrored)] {
      #expect(channels[SmallHead.grid.index(32, 34, 5)] == ChannelMap.missing)
      #expect(channels[SmallHead.grid.index(32, 34, 58)] == 0)
    }
  }

  @Test func unsoundMapsAreRefused() throws {
    let space = try SmallHead.space()
    let grid = Fixture.grid(3, 1, 1)
    #expect(throws: AnatomyError.unknownLabels(path: "u", values: [5, 77])) {
      try AlignedMap(Volume(grid: grid, voxels: [77, 2, 5]), path: "u", in: space)
    }
    #expect(throws: AnatomyError.emptyMap(path: "e")) {
      try AlignedMap(Volume(grid: grid, repeating: 0), path: "e", in: space)
    }
    #expect(throws: AnatomyError.noMaps(path: "")) {
      try AlignedMaps([], in: space, read: { _ in SmallHead.map() })
    }
  }
}
