import Imaging
import Testing

@testable import Anatomy

/// What tissue groups are to fluid.
struct FluidGroupsTests {
  /// Along the first axis: a nucleus, white matter, another nucleus, and fluid that overlaps with it.
  @Test func nucleiBesideFluidMayGiveWayToIt() throws {
    let table = try Fixture.table(
      Fixture.label(1, mapping: 9), Fixture.label(2, mapping: 2), Fixture.label(3, mapping: 9),
      Fixture.label(4, mapping: 3), Fixture.label(5, mapping: 8), Fixture.label(6))
    let grid = Fixture.grid(40, 8, 8)
    let prior = Fixture.prior(grid, table) { label, at in
      switch at.x {
      case 0..<10: label == 1 ? 255 : 0
      case 10..<20: label == 2 ? 255 : 0
      case 20..<28: label == 3 ? 255 : 0
      case 28..<32: label == 3 ? 155 : label == 4 ? 100 : 0
      default: label == 4 ? 255 : 0
      }
    }
    let groups = FluidGroups(
      tissues: table.labels.map { [$0.tissue] },
      isTarget: table.isOfInterest,
      prior: GroupPrior(prior, factor: 4))
    func members(_ flags: [Bool]) -> [Int] { flags.indices.filter { flags[$0] } }
    #expect(members(groups.fluid) == [4])
    #expect(members(groups.tissue) == [1, 2, 3, 5, 6])
    #expect(members(groups.inner) == [1, 2, 3])
    #expect(members(groups.nuclei) == [1, 3])
    #expect(members(groups.yielding) == [3])
  }
}
