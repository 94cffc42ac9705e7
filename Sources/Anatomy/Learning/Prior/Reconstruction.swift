import Imaging
import Networks

/// A label map encoded and decoded again.
package struct Reconstruction: Sendable {
  package let latent: LatentFile
  /// On the map's own grid, as values of the table; background beyond the atlas grid.
  package let labels: Volume<Int32>
  /// Agreement with the map on its own grid.
  package let dice: LabelDice

  /// Decodes at the mean of q, as `PriorModel.anatomy` does from the latent alone.
  ///
  /// - Throws: what `AlignedMap` throws, `NetworkError`.
  package init(_ map: Volume<Int32>, path: String, by model: PriorModel) throws {
    latent = try model.latent(map, path: path)
    let own = try ChannelMap(map, table: model.space.table, path: path)
    let positions = try model.decode(latent.latent.mean).labels(
      on: map.grid, through: latent.affine)
    dice = LabelDice(own.channels, positions, table: model.space.table)
    labels = model.volume(positions, on: map.grid)
  }
}

extension PriorModel {
  /// The latent of a map, aligned by the centres of its structures.
  ///
  /// - Throws: what `AlignedMap` throws, `NetworkError`.
  package func latent(_ map: Volume<Int32>, path: String) throws -> LatentFile {
    let aligned = try AlignedMap(map, path: path, in: space, mirrors: false)
    return try LatentFile(try encode(aligned), affine: aligned.affine, of: self)
  }
}
