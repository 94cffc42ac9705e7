import Testing

@testable import Networks

/// Parts of a volume, against sets of voxels.
@Suite struct RowSpansTests {
  private static let extents = Extents(5, 7, 9)

  /// Some rows with voxels, at the borders too.
  private static let spans = RowSpans(extents) { plane, row in
    switch (plane, row) {
    case (0, 0): 0..<2
    case (1, 3): 4..<5
    case (4, 6): 7..<9
    case (2, 5): 3..<3
    default: 0..<0
    }
  }

  private func voxels(_ spans: RowSpans) -> Set<SIMD3<Int>> {
    var found: Set<SIMD3<Int>> = []
    for plane in 0..<spans.extents.depth {
      for row in 0..<spans.extents.height {
        for x in spans.range(plane: plane, row: row) { found.insert(SIMD3(x, row, plane)) }
      }
    }
    return found
  }

  /// The voxels of a volume that `isIn` accepts, with those between them in a row.
  private func filled(_ extents: Extents, _ isIn: (SIMD3<Int>) -> Bool) -> Set<SIMD3<Int>> {
    var found: Set<SIMD3<Int>> = []
    for z in 0..<extents.depth {
      for y in 0..<extents.height {
        let row = (0..<extents.width).filter { isIn(SIMD3($0, y, z)) }
        guard let first = row.first, let last = row.last else { continue }
        for x in first...last { found.insert(SIMD3(x, y, z)) }
      }
    }
    return found
  }

  @Test func countsVoxels() {
    #expect(Self.spans.count == 5)
    #expect(voxels(Self.spans).count == 5)
  }

  @Test(arguments: [1, 2]) func widens(reach: Int) {
    let own = voxels(Self.spans)
    let expected = filled(Self.extents) { at in
      own.contains { other in
        let d = at &- other
        return max(abs(d.x), abs(d.y), abs(d.z)) <= reach
      }
    }
    #expect(voxels(Self.spans.widened(by: reach)) == expected)
  }

  @Test func halvesAndDoubles() {
    let own = voxels(Self.spans)
    let halved = Self.spans.halved
    #expect(
      voxels(halved)
        == filled(Self.extents.halved) { at in
          own.contains { SIMD3($0.x / 2, $0.y / 2, $0.z / 2) == at }
        })
    let coarse = voxels(halved)
    #expect(
      voxels(halved.doubled(Self.extents))
        == filled(Self.extents) { coarse.contains(SIMD3($0.x / 2, $0.y / 2, $0.z / 2)) })
  }

  @Test func rectanglesHoldPlanes() {
    let one = Self.spans.rectangle(of: 1..<3)
    #expect(one?.rows == 3..<4 && one?.columns == 4..<5)
    let all = Self.spans.rectangle(of: 0..<5)
    #expect(all?.rows == 0..<7 && all?.columns == 0..<9)
    #expect(Self.spans.rectangle(of: 2..<4) == nil)
  }

  @Test func unites() {
    let other = RowSpans(Self.extents) { plane, row in plane == 0 && row == 0 ? 5..<6 : 0..<0 }
    let both = voxels(Self.spans).union(voxels(other))
    #expect(voxels(Self.spans.union(other)) == filled(Self.extents) { both.contains($0) })
  }
}
