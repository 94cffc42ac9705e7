import Imaging

@testable import Anatomy

/// A head of ellipsoids with FreeSurfer's names: fluid around a cortex around white matter, in
/// which lie two ventricles and, below them, two nuclei. What lies left is larger.
enum SmallHead {
  static let grid = Fixture.grid(64, 68, 60)

  static func table() throws -> LabelTable {
    // By BIDS tissue.
    let mappings = ["white": 2, "csf": 3, "cortex": 8, "nuclei": 9]
    func label(_ index: Int32, _ name: String, _ group: String, _ partner: Int32? = nil) -> Label {
      Label(
        index: index, name: name, color: .distinct(index), mapping: mappings[group], group: group,
        partner: partner)
    }
    return try LabelTable(labels: [
      .background, label(2, "Left-Cerebral-White-Matter", "white", 41),
      label(3, "Left-Cerebral-Cortex", "cortex", 42),
      label(4, "Left-Lateral-Ventricle", "csf", 43), label(24, "CSF", "csf"),
      label(41, "Right-Cerebral-White-Matter", "white", 2),
      label(42, "Right-Cerebral-Cortex", "cortex", 3),
      label(43, "Right-Lateral-Ventricle", "csf", 4), label(901, "Left-Nucleus", "nuclei", 902),
      label(902, "Right-Nucleus", "nuclei", 901),
    ])
  }

  /// The value at a point, mm.
  static func value(_ p: SIMD3<Double>) -> Int32 {
    let left = p.x < 0
    let side = left ? -1.0 : 1.0
    let larger = left ? 1.15 : 1
    if Fixture.inside(p, centre: SIMD3(side * 8, 2, 6), radii: SIMD3(4, 9, 5) * larger) {
      return left ? 4 : 43
    }
    let nucleus = SIMD3(side * 12, -7, -5)
    if Fixture.inside(p, centre: nucleus, radii: SIMD3(repeating: 4) * larger) {
      return left ? 901 : 902
    }
    if Fixture.inside(p, centre: .zero, radii: SIMD3(21, 23, 19)) { return left ? 2 : 41 }
    if Fixture.inside(p, centre: .zero, radii: SIMD3(24, 26, 22)) { return left ? 3 : 42 }
    return Fixture.inside(p, centre: .zero, radii: SIMD3(28, 30, 26)) ? 24 : 0
  }

  static func map(_ place: (SIMD3<Double>) -> SIMD3<Double> = { $0 }) -> Volume<Int32> {
    Fixture.map(grid) { value(place($0)) }
  }

  /// The space in which the head lies as it is.
  static func space() throws -> AtlasSpace {
    let table = try table()
    let centroids = try ChannelMap(map(), table: table, path: "head").centroids(labels: table.count)
    return AtlasSpace(table: table, grid: grid, targets: centroids.map { $0?.centre })
  }

  static func aligned() throws -> AlignedMaps {
    try AlignedMaps(["head.nii.gz"], in: space(), read: { _ in map() })
  }
}

extension [UInt8] {
  /// Number of elements with a value.
  func count(of value: Int) -> Int { count { $0 == UInt8(value) } }

  /// Number of voxels that differ: a failed expectation then shows a number, not two volumes.
  func differences(from other: [UInt8]) -> Int {
    count == other.count ? zip(self, other).count { $0 != $1 } : Swift.max(count, other.count)
  }
}
