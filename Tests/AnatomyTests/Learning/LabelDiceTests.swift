import Imaging
import Testing

@testable import Anatomy

@Suite struct LabelDiceTests {
  private func table() throws -> LabelTable {
    try Fixture.table(
      Fixture.label(1, group: "a"), Fixture.label(2, group: "b"), Fixture.label(3, group: "a"),
      Fixture.label(4, group: "c"))
  }

  @Test func labelsGroupsAndMean() throws {
    let missing = ChannelMap.missing
    let first: [UInt8] = [0, 1, 1, 1, 2, 2, 0, missing, 1]
    let second: [UInt8] = [0, 1, 1, 2, 2, 0, 3, 1, missing]
    let dice = LabelDice(first, second, table: try table())
    #expect(dice.labels == [nil, 0.8, 0.5, 0, nil])
    #expect(dice.groups == [nil, 0.4, 0.5, nil])
    let mean = try #require(dice.mean)
    #expect(abs(mean - 1.3 / 3) < 1e-12)
  }

  @Test func nothingToCompareHasNoMean() throws {
    let dice = LabelDice([0, 0, 1], [0, 0, ChannelMap.missing], table: try table())
    #expect(dice.mean == nil)
    #expect(dice.labels.allSatisfy { $0 == nil } && dice.groups.allSatisfy { $0 == nil })
  }

  @Test func allPartsCount() throws {
    // More voxels than one part of the work holds.
    let first = (0..<700_000).map { UInt8($0 % 3) }
    let second = (0..<700_000).map { $0 < 350_000 ? UInt8($0 % 3) : 0 }
    let dice = LabelDice(first, second, table: try table())
    let one = try #require(dice.labels[1])
    #expect(abs(one - 2.0 / 3) < 1e-5)
  }
}
