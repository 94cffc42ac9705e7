import Imaging

/// A segmented scan, and what is known about how it came about.
package struct Segmentation: Sendable {
  /// Labels on the scan's own grid, in the values of the label table.
  package let labels: Volume<Int32>
  /// Where they were asked for: posterior probabilities, on the grid of `order.target`.
  package let posteriors: Posteriors?
  /// Where it was asked for: entropy of the posterior in nats, on the scan's own grid.
  package let entropy: Volume<Float>?
  /// From the scan's voxel order to that of the posteriors.
  package let order: VoxelOrder
  /// One entry a label of the table.
  package let volumes: [StructureVolume]
  /// Scan world mm to atlas world mm.
  package let transform: Affine
  package let kind: ScanKind
  package let model: IntensityModel
  package let quality: SegmentationQuality
}

/// How much of the scan a label takes.
package struct StructureVolume: Equatable, Sendable {
  /// Voxels for which it is the most probable label.
  package var voxels: Int
  /// Their volume, mm3.
  package var hard: Double
  /// The sum of its posterior probabilities, mm3.
  package var soft: Double

  package init(voxels: Int, hard: Double, soft: Double) {
    self.voxels = voxels
    self.hard = hard
    self.soft = soft
  }
}

/// Figures by which a segmentation can be doubted.
package struct SegmentationQuality: Equatable, Sendable {
  /// How much better the atlas explains the scan's intensities than a histogram without any anatomy does,
  /// in nats a sample of 8 mm3: their mutual information.
  package var information: Double
  /// The same among samples that are not exactly zero, where a cut-out mask tells nothing.
  package var tissueInformation: Double
  /// Share of the prior's structures of interest that lies outside the scan's field of view.
  package var outsideView: Double
  /// How much better the scan fits the atlas after half a turn, in nats a coarse sample; nil where the
  /// transform was given. Above 0, the header's axes are probably wrong.
  package var gainOfHalfTurn: Double?
  /// Largest displacement of the warp, mm.
  package var largestDisplacement: Double
  /// Mean entropy of the posterior at voxels of structures of interest, in nats, from a part of the voxels
  /// that is spread evenly.
  package var meanEntropy = 0.0
}
