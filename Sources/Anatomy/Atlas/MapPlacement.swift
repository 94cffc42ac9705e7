import Imaging

/// Where a label map and its mirror image lie in the atlas, by the centroids of their structures.
struct MapPlacement: Sendable {
  /// World mm of the map to atlas world mm.
  let affine: Affine
  /// The same for the map as seen in a mirror at world x = 0 (`ChannelMap.mirrored`).
  let mirrorAffine: Affine
  /// Root mean square of what the alignment of centroids leaves, mm.
  let rms: Double

  /// From a map's centroids in world mm, one entry a label of the table.
  init(
    centroids: [SIMD3<Double>?], targets: [SIMD3<Double>?], table: LabelTable
  ) {
    let fit = CentroidAlignment.fit(centroids, to: targets)
    affine = fit.affine
    rms = fit.rms
    let mirrored = centroids.indices.map { label in
      let source = table.partnerOfLabel[label] ?? label
      return centroids[source].map { SIMD3(-$0.x, $0.y, $0.z) }
    }
    mirrorAffine = CentroidAlignment.fit(mirrored, to: targets).affine
  }
}

extension ChannelMap {
  /// The map on the atlas grid, where `affine` takes its world mm to atlas world mm; `inverse` is
  /// the displacement from atlas positions back to affine ones.
  func placed(
    by affine: Affine, on grid: Grid, displacedBy inverse: Displacement? = nil
  ) -> [UInt8] {
    let voxelOfWorld = self.grid.affine.inverse * affine.inverse * grid.affine
    let columns = (
      SIMD3<Float>(voxelOfWorld.columns.0), SIMD3<Float>(voxelOfWorld.columns.1),
      SIMD3<Float>(voxelOfWorld.columns.2)
    )
    let translation = SIMD3<Float>(voxelOfWorld.translation)
    let spacing = SIMD3<Float>(grid.spacing)
    return resampled(to: grid) { voxel in
      var at = SIMD3<Float>(Float(voxel.x), Float(voxel.y), Float(voxel.z))
      if let inverse {
        let w = inverse.at(at * spacing)
        at += SIMD3(w.x, w.y, w.z) / spacing
      }
      return columns.0 * at.x + columns.1 * at.y + columns.2 * at.z + translation
    }
  }
}
