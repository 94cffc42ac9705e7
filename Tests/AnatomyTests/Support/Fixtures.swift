import Foundation
import Imaging

@testable import Anatomy

/// A folder for one test's files.
final class Scratch {
  let folder: String

  init() throws {
    folder = NSTemporaryDirectory() + "/anatomy-tests-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  func path(_ name: String) -> String { "\(folder)/\(name)" }

  /// Names below the folder, ascending.
  var names: [String] {
    (FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []).sorted()
  }
}

enum Fixture {
  /// Voxels of 1 mm (or another size), axes R-A-S, centred on the origin.
  static func grid(_ x: Int, _ y: Int, _ z: Int, spacing: Double = 1) -> Grid {
    let extents = SIMD3(x, y, z)
    return Grid(
      extents: extents,
      affine: Orientation.canonical.affine(
        spacing: SIMD3(repeating: spacing), extents: extents))
  }

  static func label(
    _ index: Int32, group: String? = nil, partner: Int32? = nil, mapping: Int? = nil
  ) -> Label {
    Label(
      index: index, name: "label-\(index)", color: .distinct(index), mapping: mapping,
      group: group ?? "group-\(index)", partner: partner)
  }

  static func table(_ labels: Label...) throws -> LabelTable {
    try LabelTable(labels: [.background] + labels)
  }

  /// Dense values of each label, in 1/255, as a prior.
  static func prior(
    _ grid: Grid, _ table: LabelTable, outside: [Float]? = nil, _ values: (Int, SIMD3<Int>) -> UInt8
  ) -> LocationPrior {
    let channels = (0..<table.count).flatMap { label in voxels(of: grid).map { values(label, $0) } }
    return channels.withUnsafeBufferPointer {
      LocationPrior(
        grid: grid, table: table, outside: outside ?? (0..<table.count).map { $0 == 0 ? 1 : 0 },
        channels: $0)
    }
  }

  /// A scan that lies where the atlas has it, undisplaced, whose first group is padding: a Gaussian for each group.
  static func fit(
    _ grid: Grid, means: [Double], variance: Double, scale: IntensityScale, lanes: Int,
    kind: ScanKind = .whole
  ) -> ScanFit {
    ScanFit(
      transform: .identity, displacement: Displacement(over: grid, spacing: 6),
      bias: BiasField(over: grid),
      model: IntensityModel(
        groups: means.map {
          [IntensityModel.Component(weight: 1, mean: $0, variance: variance)]
        },
        zeroShare: means.indices.map { $0 == 0 ? 0.9 : 0.01 }, scale: scale, lanes: lanes),
      kind: kind,
      quality: SegmentationQuality(
        information: 0, tissueInformation: 0, outsideView: 0, gainOfHalfTurn: 0,
        largestDisplacement: 0))
  }

  static func voxels(of grid: Grid) -> [SIMD3<Int>] {
    (0..<grid.count).map {
      SIMD3(
        $0 % grid.extents.x, $0 / grid.extents.x % grid.extents.y,
        $0 / (grid.extents.x * grid.extents.y))
    }
  }

  /// A label map by world position.
  static func map(_ grid: Grid, _ value: (SIMD3<Double>) -> Int32) -> Volume<Int32> {
    Volume(
      grid: grid,
      voxels: voxels(of: grid).map {
        value(grid.affine(SIMD3(Double($0.x), Double($0.y), Double($0.z))))
      })
  }

  /// Whether a point lies in an ellipsoid.
  static func inside(
    _ point: SIMD3<Double>, centre: SIMD3<Double>, radii: SIMD3<Double>
  ) -> Bool {
    let d = (point - centre) / radii
    return (d * d).sum() <= 1
  }

  /// A prior of nested ellipsoids with blurred edges: background, flesh of no interest, and two structures,
  /// of different tissue and no symmetry.
  static func bodyPrior() throws -> LocationPrior {
    let grid = grid(64, 72, 60, spacing: 2)
    let table = try table(
      label(1, mapping: 1), label(2, mapping: 2), label(9, group: "flesh", mapping: 5))
    let counts = LabelCounts(grid: grid, labels: table.count)
    let map = try ChannelMap(map(grid, bodyLabel), table: table, path: "body")
    try counts.add(map.channels)
    return counts.prior(table: table, smoothing: 2.5)
  }

  static func bodyLabel(_ p: SIMD3<Double>) -> Int32 {
    if inside(p, centre: SIMD3(14, 10, 6), radii: SIMD3(16, 22, 12)) { return 2 }
    if inside(p, centre: SIMD3(2, -2, 4), radii: SIMD3(40, 48, 34)) { return 1 }
    if inside(p, centre: SIMD3(-18, 10, -38), radii: SIMD3(14, 12, 10)) { return 2 }
    return inside(p, centre: SIMD3(0, 0, 0), radii: SIMD3(52, 60, 52)) ? 9 : 0
  }

  /// Two organs in a body-free volume of 64x64x64 voxels, each subject's a little different in place and
  /// size; values that no table names.
  static func organs(_ subject: Int) -> Volume<Int32> {
    let random = CounterRandom(seed: 5, stream: UInt64(subject))
    func vary(_ counter: Int, _ most: Double) -> Double {
      most * (2 * random.uniform(counter) - 1)
    }
    let grid = grid(64, 64, 64, spacing: 1.5)
    let shift = SIMD3(vary(0, 3), vary(1, 3), vary(2, 3))
    let (large, small) = (1 + vary(3, 0.08), 1 + vary(4, 0.08))
    return map(grid) { p in
      let q = p - shift
      if inside(q, centre: SIMD3(-14, 4, 0), radii: SIMD3(20, 24, 28) * large) { return 200 }
      return inside(q, centre: SIMD3(22, -6, 6), radii: SIMD3(11, 9, 14) * small) ? 301 : 0
    }
  }

  /// A scan of a label map: an intensity for each label, with Gaussian noise.
  static func scan(
    of map: Volume<Int32>, _ intensities: [Int32: Float], noise: Float, seed: UInt64 = 3
  ) -> Volume<Float> {
    let random = CounterRandom(seed: seed, stream: 77)
    return Volume(
      grid: map.grid,
      voxels: map.voxels.enumerated().map { voxel, label in
        (intensities[label] ?? 0) + noise * Float(random.normals(voxel).0)
      })
  }

  static func dice(_ a: Volume<Int32>, _ b: Volume<Int32>, label: Int32) -> Double {
    var (shared, sum) = (0, 0)
    for (x, y) in zip(a.voxels, b.voxels) {
      if x == label { sum += 1 }
      if y == label { sum += 1 }
      if x == label, y == label { shared += 1 }
    }
    return sum == 0 ? 1 : 2 * Double(shared) / Double(sum)
  }
}
