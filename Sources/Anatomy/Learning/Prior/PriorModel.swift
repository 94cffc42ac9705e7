import Imaging
import Networks

/// A trained prior with its atlas: from label maps to latents and back.
///
/// Results depend on the weights alone, not on the number of threads.
package final class PriorModel {
  package let atlas: Atlas
  package let file: PriorFile
  /// What label maps are aligned to before they are encoded.
  package let space: AtlasSpace
  private let network: any LabelModel

  /// Reads a trained prior.
  ///
  /// - Throws: `AnatomyError.otherAtlas` if it was made for another atlas, `NetworkError`.
  package init(_ path: String, atlas: Atlas) throws {
    file = try PriorFile(path)
    network = try file.network(for: atlas, purpose: .inference)
    self.atlas = atlas
    space = AtlasSpace(atlas.prior)
  }

  /// Reads the prior and the atlas that were chosen.
  ///
  /// - Throws: as above, and what reading an atlas throws.
  package convenience init(_ choice: PriorChoice) throws {
    try self.init(choice.file, atlas: try AtlasFiles.read(choice.atlas.folder))
  }

  /// Latent dimensions.
  package var latentCount: Int { network.latentCount }

  /// q(z given the map). Throws `NetworkError`.
  package func encode(_ map: AlignedMap) throws -> GaussianLatent {
    try network.encode(ChannelMap.filled(map.channels, with: UInt8(space.table.count)))
  }

  /// The label prior f_jk(z) of all voxels j and labels k, on the atlas grid.
  ///
  /// Never more than a plane for each thread is held in single precision. Throws `NetworkError`.
  package func decode(_ z: [Float]) throws -> LocationPrior {
    try atlas.prior.remade { keep in try network.probabilities(at: z, keep) }
  }

  /// The most probable label of every voxel of the atlas grid, as positions in the table. Throws
  /// `NetworkError`.
  package func mostProbable(_ z: [Float]) throws -> [UInt8] { try network.decode(z) }

  /// Labels drawn from the label prior at z, alike in neighbours, as positions in the table on the atlas
  /// grid: each label is as frequent as it is probable. They depend on seed and number alone. Throws
  /// `NetworkError`.
  package func drawn(_ z: [Float], seed: UInt64, number: UInt64) throws -> [UInt8] {
    let noise = LabelNoise(
      over: space.grid, labels: space.table.count, seed: seed, number: number)
    let voxels = space.grid.extents.x * space.grid.extents.y
    var labels = [UInt8](repeating: 0, count: space.grid.count)
    try labels.withUnsafeMutableBufferPointer { buffer in
      nonisolated(unsafe) let out = buffer
      try network.probabilities(at: z) { plane, values in
        for (i, label) in noise.draw(plane: plane, values).enumerated() {
          out[plane * voxels + i] = label
        }
      }
    }
    return labels
  }

  /// The anatomy at z on another grid, as values of the table, where `affine` takes world mm of the
  /// grid to atlas world mm; background beyond the atlas grid. Throws `NetworkError`.
  package func anatomy(
    _ z: [Float], on grid: Grid, through affine: Affine
  ) throws -> Volume<Int32> {
    let labels = try decode(z).labels(on: grid, through: affine)
    return volume(labels, on: grid)
  }

  /// Positions in the table as values of it.
  package func volume(_ labels: [UInt8], on grid: Grid) -> Volume<Int32> {
    let values = space.table.labels.map(\.index)
    return Volume(grid: grid, voxels: labels.map { values[Int($0)] })
  }
}
