import Foundation
import Testing

@testable import Anatomy

/// Fluid's intensities, and structures that seem to have shrunk.
@Suite struct FluidRowsTests {
  private static let lanes = 16
  /// Fluid, cortex, a nucleus beside fluid, a nucleus away from it.
  private let groups = FluidGroups(
    fluid: [true, false, false, false], tissue: [false, true, true, true],
    inner: [false, false, true, true], nuclei: [false, false, true, true],
    yielding: [false, false, true, false])

  /// Normal counts of a group around a row.
  private func add(
    _ count: Double, group: Int, around row: Double, to histogram: inout GroupHistogram
  ) {
    for i in GroupHistogram.intensities {
      let d = (Double(i) - row) / 15
      histogram[i, group] += count * exp(-d * d / 2) / 37.6
    }
  }

  private func clear(_ group: Int, in histogram: inout GroupHistogram) {
    for row in GroupHistogram.intensities { histogram[row, group] = 0 }
  }

  private func histogram(wetNucleus: Double) -> GroupHistogram {
    var result = GroupHistogram(lanes: Self.lanes)
    add(1000, group: 0, around: 100, to: &result)
    add(4000, group: 1, around: 250, to: &result)
    add(500 * (1 - wetNucleus), group: 2, around: 250, to: &result)
    add(500 * wetNucleus, group: 2, around: 100, to: &result)
    add(500, group: 3, around: 300, to: &result)
    return result
  }

  @Test func fluidIsTakenFromAShrunkenNucleusAlone() throws {
    let before = histogram(wetNucleus: 0.6)
    let rows = try #require(
      FluidRows(before, groups: groups))
    let after = rows.removed(from: before)
    #expect(after.sum(of: 2, in: 60...140) < 1)
    #expect(abs(after.sum(of: 2, in: 200...300) - before.sum(of: 2, in: 200...300)) < 1)
    for group in [0, 1, 3] {
      #expect(after.sum(of: group, in: 1...510) == before.sum(of: group, in: 1...510))
    }
  }

  @Test func nucleiOfUsualAnatomyAreLeftAlone() throws {
    let before = histogram(wetNucleus: 0.03)
    let rows = try #require(FluidRows(before, groups: groups))
    #expect(rows.removed(from: before) == before)
    #expect(rows.first(from: before) == before)
  }

  /// What is as dark as fluid, or darker, and is none: the group, and its counts around rows.
  private static let alike: [(wet: Double, group: Int, counts: [(Double, Double)])] = [
    // A nucleus away from fluid, by iron perhaps.
    (0, 3, [(500, 100)]),
    // A nucleus beside fluid, darker than any of it.
    (1, 2, [(500, 30)]),
    // Other nuclei are of any brightness: what seems to be lost may be, too.
    (1, 3, [(520, 190), (480, 480)]),
  ]

  @Test(arguments: alike)
  func whatMayBeTissueIsLeftAlone(wet: Double, group: Int, counts: [(Double, Double)]) throws {
    var before = histogram(wetNucleus: wet)
    clear(group, in: &before)
    for (count, row) in counts { add(count, group: group, around: row, to: &before) }
    let rows = try #require(FluidRows(before, groups: groups))
    #expect(rows.lost.isEmpty)
    #expect(rows.removed(from: before) == before)
    #expect(rows.first(from: before) == before)
  }

  /// Where the nucleus beside fluid is expected there is fluid alone: it looks like the other, until it is
  /// found.
  @Test func aNucleusThatIsNotWhereItIsExpectedLooksLikeTheOthers() throws {
    let before = histogram(wetNucleus: 0.97)
    var rows = try #require(FluidRows(before, groups: groups))
    #expect(rows.lost == [2])
    #expect(rows.removed(from: before).sum(of: 2, in: 60...140) < 1)
    let first = rows.first(from: before)
    #expect(
      GroupHistogram.intensities.allSatisfy { first[$0, 2] == before[$0, 3] })
    var model = try model(first)
    #expect(abs(model.moments(of: 2).mean - Double(model.scale.intensity(300))) < 2)
    #expect(rows.separate(before, scale: model.scale).isEmpty)
    // Found, by a warp: its own intensity counts.
    let found = histogram(wetNucleus: 0.2)
    for _ in 0..<6 { model.update(histogram: rows.removed(from: found)) }
    let mean = model.moments(of: 2).mean
    let (own, others) = (model.scale.intensity(250), model.scale.intensity(300))
    #expect(mean < Double(own + others) / 2, "\(mean)")
  }

  /// Wide ventricles, darker than fluid around the brain, where cortex and a nucleus are expected.
  @Test func fluidThatCoversTissueIsFluidToo() throws {
    var before = histogram(wetNucleus: 1)
    clear(2, in: &before)
    for group in [0, 2] { add(300, group: group, around: 30, to: &before) }
    add(900, group: 1, around: 30, to: &before)
    let rows = try #require(FluidRows(before, groups: groups))
    #expect(rows.lost == [2])
    #expect(rows.removed(from: before).sum(of: 2, in: 1...60) < 1)
  }

  private func model(_ histogram: GroupHistogram) throws -> IntensityModel {
    let scale = try #require(IntensityScale((0...5000).map { Float($0) / 10 }))
    return IntensityModel(
      histogram: histogram, components: [2, 2, 2, 2], scale: scale)
  }

  /// Cortex that is worn away to a share, on either side of fluid's intensities.
  @Test(arguments: [(0.3, 250.0), (0.6, 250), (0.3, 350)])
  func aSecondIntensityAtFluidIsTakenFromAnyTissue(gone: Double, cortex: Double) throws {
    let wet = cortex > 300 ? 480.0 : 100
    var before = GroupHistogram(lanes: Self.lanes)
    add(1000, group: 0, around: wet, to: &before)
    add(4000 * (1 - gone), group: 1, around: cortex, to: &before)
    add(4000 * gone, group: 1, around: wet, to: &before)
    add(500, group: 2, around: cortex, to: &before)
    add(500, group: 3, around: 300, to: &before)
    var overall = histogram(wetNucleus: 0)
    if cortex > 300 {
      overall = GroupHistogram(lanes: Self.lanes)
      add(1000, group: 0, around: wet, to: &overall)
      for group in 1...3 { add(4000, group: group, around: cortex, to: &overall) }
    }
    var rows = try #require(
      FluidRows(overall, groups: groups))
    var model = try model(before)
    #expect(rows.separate(before, scale: model.scale) == [1])
    let after = rows.removed(from: before)
    #expect(after.sum(of: 1, in: wet < cortex ? 60...130 : 450...510) < 1)
    #expect(abs(after.sum(of: 1, in: 1...510) - 4000 * (1 - gone)) < 100)
    for group in [0, 2, 3] {
      #expect(after.sum(of: group, in: 1...510) == before.sum(of: group, in: 1...510))
    }
    model.start([1], histogram: after)
    let mean = model.moments(of: 1).mean
    #expect(abs(mean - Double(model.scale.intensity(Int(cortex)))) < 10, "\(mean)")
    // What has been told apart stays so.
    #expect(rows.separate(before, scale: model.scale).isEmpty)
  }

  /// Tissue that shares voxels with fluid, and one with a second intensity away from it.
  @Test func tissueOfOneIntensityIsLeftAlone() throws {
    var before = histogram(wetNucleus: 0.03)
    add(1500, group: 1, around: 225, to: &before)
    add(200, group: 3, around: 420, to: &before)
    var rows = try #require(
      FluidRows(before, groups: groups))
    let model = try model(before)
    let gaps = [1, 3].map {
      IntensityModel.gap(in: $0, of: before, scale: model.scale)
    }
    #expect(gaps[0] == nil && gaps[1] != nil)
    #expect(rows.separate(before, scale: model.scale).isEmpty)
    #expect(rows.removed(from: before) == before)
  }

  /// Vessels brighter than the tissue around them: most of it is nearer to fluid than to them.
  @Test func tissueAmongBrightVesselsIsLeftAlone() throws {
    let overall = histogram(wetNucleus: 0)
    var before = GroupHistogram(lanes: Self.lanes)
    add(1000, group: 0, around: 100, to: &before)
    add(400, group: 3, around: 200, to: &before)
    add(100, group: 3, around: 340, to: &before)
    var rows = try #require(
      FluidRows(overall, groups: groups))
    let model = try model(before)
    let gap = IntensityModel.gap(in: 3, of: before, scale: model.scale)
    #expect(gap != nil)
    #expect(rows.separate(before, scale: model.scale).isEmpty)
    #expect(rows.removed(from: before) == before)
  }

  /// Cortex whose border to white matter lies further from it than fluid does: counts around rows.
  @Test(arguments: [
    // Nearly as dark as fluid.
    [(2000.0, 140.0), (2000, 260)],
    // Darker than fluid.
    [(3000, 60), (1000, 200)],
  ])
  func tissueNearFluidIsLeftAlone(cortex: [(Double, Double)]) throws {
    let overall = histogram(wetNucleus: 0)
    var before = GroupHistogram(lanes: Self.lanes)
    add(1000, group: 0, around: 100, to: &before)
    for (count, row) in cortex { add(count, group: 1, around: row, to: &before) }
    var rows = try #require(FluidRows(overall, groups: groups))
    let model = try model(before)
    #expect(IntensityModel.gap(in: 1, of: before, scale: model.scale) != nil)
    #expect(rows.separate(before, scale: model.scale).isEmpty)
    #expect(rows.removed(from: before) == before)
  }

  @Test func withoutContrastNothingIsKnown() {
    var flat = GroupHistogram(lanes: Self.lanes)
    for group in 0..<4 { add(1000, group: group, around: 200, to: &flat) }
    #expect(
      FluidRows(flat, groups: groups)
        == nil)
  }
}
