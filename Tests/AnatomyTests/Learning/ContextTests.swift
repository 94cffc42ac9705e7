import Foundation
import Imaging
import Networks
import Testing

@testable import Anatomy

/// Labels by what lies around them: what is merged, what the loss is, and what a trained network changes.
@Suite struct ContextTests {
  @Test func sidesAreOne() throws {
    let merge = SideMerge(try SmallHead.table())
    // Background, white matter, cortex, ventricle, fluid, and the same again for the right, and the nuclei.
    #expect(merge.channelOf == [0, 1, 2, 3, 4, 1, 2, 3, 5, 5])
    #expect(merge.count == 6)
  }

  @Test func surroundingsAreBackgroundWhereTheyWereTakenOff() throws {
    let table = try LabelTable(labels: [
      .background, Label(index: 2, name: "white", color: .distinct(2), mapping: 2, group: "white"),
      Label(index: 5, name: "skin", color: .distinct(5), mapping: 5, group: "skin"),
    ])
    let merge = SideMerge(table)
    #expect(merge.channels(.whole) == [0, 1, 2])
    #expect(merge.channels(.stripped) == [0, 1, 0])
  }

  /// -log of the share of the true label, or of the most probable one where a neighbour has it; its gradient by
  /// differences.
  @Test func theLossIsThatOfTheChangedPosterior() throws {
    let (channels, extents) = (18, Extents(4, 4, 6))
    let shape = ActivationShape(channels: channels, extents: extents)
    var judged = [Bool](repeating: true, count: channels)
    judged[0] = false
    let loss = try ContextLoss(shape, isJudged: judged, margin: 1)
    let grid = Fixture.grid(6, 4, 4)
    var random = Philox(seed: 3)
    let truth = (0..<grid.count).map { _ in UInt8(random.next() % UInt64(channels)) }
    func values() -> [Float] { (0..<shape.plainCount).map { _ in random.uniform() } }
    func packed(_ values: [Float], _ target: Tensor) throws {
      let plain = try Tensor(count: shape.plainCount)
      plain.assign(values)
      shape.pack(plain, into: target)
    }
    let (q, r) = (values(), values().map { 2 * $0 - 1 })
    try packed(q, loss.posteriors)
    func value(_ logits: [Float]) throws -> Double {
      try packed(logits, loss.logits)
      return loss.differentiate(truth, on: grid, from: .zero).loss
    }
    let found = try value(r)
    let gradient = try Tensor(count: shape.plainCount)
    shape.unpack(loss.logits, into: gradient)
    // 2 x 2 x 4 voxels are further than 1 from the border.
    var (expected, count, kept) = (0.0, 0, 0)
    for z in 1..<3 {
      for y in 1..<3 {
        for x in 1..<5 {
          let voxel = grid.index(x, y, z)
          let shares = (0..<channels).map { channel -> Double in
            let i = channel * extents.count + voxel
            return (Double(q[i]) + 1e-4) * exp(Double(r[i]))
          }
          let first = (0..<channels).max {
            q[$0 * extents.count + voxel] < q[$1 * extents.count + voxel]
          }
          let neighbours = [
            grid.index(x - 1, y, z), grid.index(x + 1, y, z), grid.index(x, y - 1, z),
            grid.index(x, y + 1, z), grid.index(x, y, z - 1), grid.index(x, y, z + 1),
          ]
          let beside = neighbours.contains { Int(truth[$0]) == first }
          let target = beside ? first ?? 0 : Int(truth[voxel])
          kept += beside && target != Int(truth[voxel]) ? 1 : 0
          expected -= log(shares[target] / shares.reduce(0, +))
          count += 1
        }
      }
    }
    #expect(abs(found - expected / Double(count)) < 1e-5)
    #expect(kept > 0 && kept < count)
    for i in stride(from: 7, to: r.count, by: 41) {
      let step: Float = 1e-2
      var (up, down) = (r, r)
      up[i] += step
      down[i] -= step
      let slope = (try value(up) - value(down)) / Double(2 * step)
      #expect(abs(slope - Double(gradient.pointer[i])) < 1e-4, "\(i)")
    }
  }

  @Test func voxelsFarFromWhatIsAskedForAreNotJudged() throws {
    let shape = ActivationShape(channels: 2, extents: Extents(2, 2, 2))
    let loss = try ContextLoss(shape, isJudged: [false, true], margin: 0)
    loss.posteriors.fill(with: 0)
    for voxel in 0..<8 {
      loss.posteriors.pointer[voxel * 16] = 1
      // What is asked for is likely at one voxel.
      loss.posteriors.pointer[voxel * 16 + 1] = voxel == 3 ? 0.5 : 0
    }
    loss.logits.fill(with: 0)
    let grid = Fixture.grid(2, 2, 2)
    let missing = ChannelMap.missing
    let truth: [UInt8] = [0, missing, 0, 0, missing, 1, 0, missing]
    _ = loss.differentiate(truth, on: grid, from: .zero)
    let changed = (0..<8).filter { loss.logits.pointer[$0 * 16 + 1] != 0 }
    #expect(changed == [3, 5])
  }
}
