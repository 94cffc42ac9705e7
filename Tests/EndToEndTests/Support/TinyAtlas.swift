import Anatomy
import Foundation
import Imaging

/// An atlas of two structures of no head, small enough to segment in a moment, and scans that fit it.
enum TinyAtlas {
  /// 48x40x44 voxels of 3 mm.
  static let grid = Grid(
    extents: SIMD3(48, 40, 44),
    affine: Orientation.canonical.affine(
      spacing: SIMD3(repeating: 3), extents: SIMD3(48, 40, 44)))

  /// Its folder, made at first use and left for the system's cleaning.
  static let folder: String = {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("segpipe-tiny-\(ProcessInfo.processInfo.processIdentifier)").path
    do {
      var settings = AtlasBuilder.Settings()
      settings.name = "tiny"
      settings.refinements = 0
      let builder = AtlasBuilder(
        table: try LabelTable.made(from: [1, 2]), settings: settings,
        read: { path in labels(on: grid, growth: 0.96 + 0.02 * (Double(path) ?? 0)) })
      try AtlasFiles.write(
        try builder.build(["0", "1", "2", "3", "4"]).atlas, to: folder, license: "CC0-1.0",
        generator: "test")
      return folder
    } catch {
      return "no atlas: \(error)"
    }
  }()

  /// The structure at a place: a large ellipsoid (1) with a small one (2) off its middle.
  static func label(_ world: SIMD3<Double>, growth: Double = 1) -> Int32 {
    let small = (world - SIMD3(18, 12, -8)) / (SIMD3(16, 12, 20) * growth)
    if (small * small).sum() < 1 { return 2 }
    let large = world / (SIMD3(54, 40, 46) * growth)
    return (large * large).sum() < 1 ? 1 : 0
  }

  static func labels(on grid: Grid, growth: Double = 1) -> Volume<Int32> {
    fill(grid) { label($0, growth: growth) }
  }

  /// A noisy scan of it, the same at every call.
  static func scan(on grid: Grid = grid) -> Volume<Float> {
    var uniforms = Uniforms(seed: 1)
    return fill(grid) { world in
      let noise = uniforms.next() - 0.5
      return [12, 100, 160][Int(label(world))] + 20 * noise
    }
  }

  private static func fill<Value: Sendable>(
    _ grid: Grid, _ value: (SIMD3<Double>) -> Value
  ) -> Volume<Value> {
    var voxels: [Value] = []
    voxels.reserveCapacity(grid.count)
    for z in 0..<grid.extents.z {
      for y in 0..<grid.extents.y {
        for x in 0..<grid.extents.x {
          voxels.append(value(grid.affine(SIMD3(Double(x), Double(y), Double(z)))))
        }
      }
    }
    return Volume(grid: grid, voxels: voxels)
  }

  /// Dice of one label between two label maps.
  static func dice(_ a: Volume<Int32>, _ b: Volume<Int32>, _ label: Int32) -> Double {
    var (both, sum) = (0, 0)
    for (x, y) in zip(a.voxels, b.voxels) {
      if x == label && y == label { both += 1 }
      sum += (x == label ? 1 : 0) + (y == label ? 1 : 0)
    }
    return sum == 0 ? 1 : 2 * Double(both) / Double(sum)
  }
}
