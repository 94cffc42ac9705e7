/// How well one structure of a segmentation agrees with a reference.
package struct StructureScore: Equatable, Sendable {
  package let index: Int32
  package let name: String
  /// Voxels in the segmentation, in the reference, and in both.
  package let voxels: Int
  package let referenceVoxels: Int
  package let sharedVoxels: Int
  /// A voxel's volume, in mm3.
  package let voxelVolume: Double
  /// The 95th percentile of the distances between the surfaces, in mm; nil where the segmentation lacks
  /// the structure.
  package let surfaceDistance95: Double?

  package init(
    index: Int32, name: String, voxels: Int, referenceVoxels: Int, sharedVoxels: Int,
    voxelVolume: Double, surfaceDistance95: Double?
  ) {
    self.index = index
    self.name = name
    self.voxels = voxels
    self.referenceVoxels = referenceVoxels
    self.sharedVoxels = sharedVoxels
    self.voxelVolume = voxelVolume
    self.surfaceDistance95 = surfaceDistance95
  }

  /// Twice the shared voxels over the sum of both counts: 0 nothing shared, 1 identical. Zero where both
  /// are empty.
  package var dice: Double {
    let sum = voxels + referenceVoxels
    return sum == 0 ? 0 : 2 * Double(sharedVoxels) / Double(sum)
  }

  /// Volume in the segmentation, in mm3.
  package var volume: Double { Double(voxels) * voxelVolume }

  /// Volume in the reference, in mm3.
  package var referenceVolume: Double { Double(referenceVoxels) * voxelVolume }

  /// By how much the segmentation's volume is above the reference's, in mm3.
  package var volumeDifference: Double { volume - referenceVolume }

  /// The same in percent of the reference's volume; nil where that is zero.
  package var volumeDifferencePercent: Double? {
    referenceVoxels == 0 ? nil : 100 * volumeDifference / referenceVolume
  }
}
