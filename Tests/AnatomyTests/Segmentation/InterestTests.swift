import Imaging
import Testing

@testable import Anatomy

/// Which labels are structures of interest, and what follows from that for tables whose tissues are filled in.
@Suite struct InterestTests {
  private func interest(_ mappings: Int?...) throws -> [Bool] {
    let labels = mappings.enumerated().map { Fixture.label(Int32($0 + 1), mapping: $1) }
    return Array(try LabelTable(labels: [.background] + labels).isOfInterest.dropFirst())
  }

  @Test func bonesAndFleshFrameABrainAlone() throws {
    #expect(try interest(2, 8, 3, nil, 4, 5, 6) == [true, true, true, true, false, false, false])
    // Organs, a spine, a bladder, an unnamed structure and a tumour.
    #expect(try interest(5, 4, 3, nil, 7, 6) == [true, true, true, true, true, true])
    #expect(try interest(5, 0) == [true, false])
    #expect(try interest(0) == [true])
    #expect(try interest(nil, nil) == [true, true])
  }

  @Test func fleshIsWhatFramesABrain() throws {
    let brain = try Fixture.table(Fixture.label(1, mapping: 2), Fixture.label(2, mapping: 5))
    let organs = try Fixture.table(Fixture.label(1), Fixture.label(2, mapping: 5))
    #expect(brain.holdsFlesh == [false, false, true])
    #expect(organs.holdsFlesh == [false, false, false])
  }

  /// Organs are found as they are where the table says nothing of their tissues.
  @Test func filledInTissuesOfOrgansChangeNothing() throws {
    let prior = try Fixture.bodyPrior()
    let map = Fixture.map(prior.grid, Fixture.bodyLabel)
    let scan = Fixture.scan(of: map, [0: 8, 1: 100, 2: 60, 9: 140], noise: 8)
    func labels(_ mappings: [Int?]) throws -> [Int32] {
      let table = try LabelTable(
        labels: [.background]
          + zip([1, 2, 9], mappings).map { Fixture.label(Int32($0), mapping: $1) })
      return try Segmenter(prior: prior.replacing(table)).segment(scan, path: "scan").labels.voxels
    }
    let plain = try labels([nil, nil, nil])
    #expect(try labels([5, 5, 5]) == plain)
    #expect(try labels([5, nil, 4]) == plain)
    let found = Volume(grid: map.grid, voxels: plain)
    for label: Int32 in [1, 2, 9] { #expect(Fixture.dice(found, map, label: label) > 0.95) }
  }

  @Test func drawnOrgansOfOneTissueLookDifferent() throws {
    let organs = try Fixture.table(Fixture.label(1, mapping: 5), Fixture.label(2, mapping: 5))
    func difference(_ table: LabelTable) -> Float {
      (UInt64(0)..<20).reduce(0) { sum, seed in
        let drawn = TissueIntensities(.t1, table: table, CounterRandom(seed: seed, stream: 1))
        return sum + abs(drawn.means[1] - drawn.means[2]) / 20
      }
    }
    #expect(difference(organs) > 0.2)
    let head = try Fixture.table(
      Fixture.label(1, mapping: 5), Fixture.label(2, mapping: 5), Fixture.label(3, mapping: 2))
    #expect(difference(head) < 0.05)
  }
}
