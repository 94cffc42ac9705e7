import Imaging

/// A real scan and its reference at about 2 mm, for tests that must not take long.
struct RealScan {
  let scan: Volume<Float>
  let reference: Volume<Int32>

  init(_ folder: String) throws {
    scan = Self.everySecond(try ImageReader.readScan(folder + "/scan.nii.gz").volume)
    reference = Self.everySecond(try ImageReader.readLabels(folder + "/reference.nii.gz").volume)
  }

  /// Every second voxel along each axis.
  private static func everySecond<Value>(_ volume: Volume<Value>) -> Volume<Value> {
    let (fine, a) = (volume.grid.extents, volume.grid.affine)
    let grid = Grid(
      extents: fine / 2,
      affine: Affine(
        columns: (a.columns.0 * 2, a.columns.1 * 2, a.columns.2 * 2), translation: a.translation))
    var voxels: [Value] = []
    voxels.reserveCapacity(grid.count)
    for z in 0..<grid.extents.z {
      for y in 0..<grid.extents.y {
        for x in 0..<grid.extents.x { voxels.append(volume[2 * x, 2 * y, 2 * z]) }
      }
    }
    return Volume(grid: grid, voxels: voxels)
  }

  /// Over the structures that head segmentations share.
  func meanDice(_ labels: Volume<Int32>) throws -> Double {
    let scores = try LabelComparison.scores(
      segmentation: Volume(grid: reference.grid, voxels: labels.voxels), reference: reference,
      set: .head29)
    return scores.map(\.dice).reduce(0, +) / Double(scores.count)
  }
}
