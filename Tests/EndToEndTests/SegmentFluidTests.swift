import Foundation
import Imaging
import Testing

/// Nuclei that look like fluid, and fluid where nuclei are expected: both in scans drawn from a real label map.
@Suite(
  .enabled(if: Places.hasShared && Places.hasHead, "needs ../shared/data and the head's atlas"))
struct SegmentFluidTests {
  private static let caudates: Set<Int32> = [11, 50]
  private static let hippocampi: Set<Int32> = [17, 53]
  private static let thalami: Set<Int32> = [10, 49]
  private static let ventricles: Set<Int32> = [4, 43]

  /// Brightness by label, as in T1-weighted scans; other structures are as cortex, the rest of the head is left out.
  private static let brightness: [Int32: Float] = [
    2: 860, 41: 860, 7: 860, 46: 860, 16: 780, 28: 780, 60: 780, 3: 580, 42: 580, 8: 580, 47: 580,
    10: 720, 49: 720, 11: 640, 50: 640, 12: 690, 51: 690, 13: 790, 52: 790, 17: 620, 53: 620,
    18: 610, 54: 610, 26: 650, 58: 650, 4: 240, 43: 240, 5: 240, 44: 240, 14: 240, 15: 240,
    24: 240,
  ]

  /// A label map, every second voxel along each axis.
  private func map() throws -> Volume<Int32> {
    let full = try ImageReader.readLabels(Places.shared + "/labels/training_seg_03.nii.gz").volume
    let half = full.grid.extents / 2
    var voxels: [Int32] = []
    for z in 0..<half.z {
      for y in 0..<half.y {
        for x in 0..<half.x { voxels.append(full[2 * x, 2 * y, 2 * z]) }
      }
    }
    let columns = full.grid.affine.columns
    let affine = Affine(
      columns: (columns.0 * 2, columns.1 * 2, columns.2 * 2),
      translation: full.grid.affine.translation)
    return Volume(grid: Grid(extents: half, affine: affine), voxels: voxels)
  }

  /// The same with ventricles wider by a voxel on each side, over whatever they meet.
  private func widened(_ map: Volume<Int32>) -> Volume<Int32> {
    let e = map.grid.extents
    var result = map
    for z in 1..<e.z - 1 {
      for y in 1..<e.y - 1 {
        for x in 1..<e.x - 1 where map[x, y, z] != 0 {
          let around = [
            map[x - 1, y, z], map[x + 1, y, z], map[x, y - 1, z], map[x, y + 1, z],
            map[x, y, z - 1], map[x, y, z + 1],
          ]
          if let fluid = around.first(where: Self.ventricles.contains) { result[x, y, z] = fluid }
        }
      }
    }
    return result
  }

  private func scan(
    of map: Volume<Int32>, like fluid: Set<Int32> = []
  ) -> Volume<Float> {
    var uniforms = Uniforms(seed: 11)
    func noise() -> Float {
      (0..<4).reduce(Float(0)) { sum, _ in sum + uniforms.next() - 0.5 }
    }
    return Volume(
      grid: map.grid,
      voxels: map.voxels.map { label in
        guard let usual = Self.brightness[label] else { return 0 }
        return (fluid.contains(label) ? 240 : usual) + 50 * noise()
      })
  }

  /// Dice of some labels of both sides together.
  private func dice(
    of scan: Volume<Float>, _ truth: Volume<Int32>, _ labels: Set<Int32>
  ) throws -> Double {
    let found = try HeadSegmentation(scan).labels
    let pairs = zip(found.voxels, truth.voxels).map {
      (labels.contains($0), labels.contains($1))
    }
    return 2 * Double(pairs.count { $0 && $1 })
      / Double(pairs.count { $0.0 } + pairs.count { $0.1 })
  }

  @Test(arguments: [caudates, hippocampi, thalami])
  func nucleiMayLookLikeFluid(_ labels: Set<Int32>) throws {
    let map = try map()
    let found = try dice(of: scan(of: map, like: labels), map, labels)
    #expect(found > 0.7, "\(found)")
  }

  @Test func whatWideVentriclesCoverIsFluid() throws {
    var wide = try map()
    for _ in 0..<3 { wide = widened(wide) }
    let drawn = scan(of: wide)
    let ventricles = try dice(of: drawn, wide, Self.ventricles)
    #expect(ventricles > 0.9, "\(ventricles)")
    let caudates = try dice(of: drawn, wide, Self.caudates)
    #expect(caudates > 0.5, "\(caudates)")
  }
}
