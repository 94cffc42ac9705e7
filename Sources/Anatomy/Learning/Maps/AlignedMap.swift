import Imaging

/// A label map brought onto the atlas grid by the centroids of its structures, and its mirror
/// image.
///
/// The affine is the one that the atlas was built with; no warp follows, since how people differ is
/// what is to be learned. Two bytes a voxel of the atlas grid.
package struct AlignedMap: Sendable {
  /// What the map is known by: its file's name without the format's extension.
  package let name: String
  package let path: String
  /// Labels on the atlas grid as positions in the table, x fastest; `ChannelMap.missing` where the
  /// map's field of view does not reach.
  package let channels: [UInt8]
  /// The mirror image on the same grid, left and right labels swapped, placed by its own centroids;
  /// nil where the table has no partners.
  package let mirrored: [UInt8]?
  /// World mm of the map to atlas world mm.
  package let affine: Affine
  /// Root mean square of what the alignment of centroids leaves, mm.
  package let rms: Double
  /// Volume of each label in the map's own space, mm3; 0 for labels that it lacks.
  package let volumes: [Double]

  /// Aligns a map of the values of the table of `space`. Without `mirrors` there is no mirror
  /// image.
  ///
  /// - Throws: `AnatomyError.unknownLabels`, `AnatomyError.emptyMap`, `AnatomyError.tooManyLabels`.
  package init(
    _ map: Volume<Int32>, path: String, in space: AtlasSpace, mirrors: Bool = true
  ) throws {
    let table = space.table
    guard table.count <= ChannelMap.mostLabels else {
      throw AnatomyError.tooManyLabels(found: table.count, most: ChannelMap.mostLabels)
    }
    let own = try ChannelMap(map, table: table, path: path)
    let found = own.centroids(labels: table.count)
    guard found.contains(where: { $0 != nil }) else { throw AnatomyError.emptyMap(path: path) }
    let place = MapPlacement(
      centroids: found.map { $0?.centre }, targets: space.targets, table: table)
    name = LabelMapFiles.name(of: path)
    self.path = path
    channels = own.placed(by: place.affine, on: space.grid)
    mirrored =
      mirrors && table.hasPartners
      ? own.mirrored(table: table).placed(by: place.mirrorAffine, on: space.grid) : nil
    affine = place.affine
    rms = place.rms
    let background = own.channels.count - found.reduce(0) { $0 + ($1?.voxels ?? 0) }
    volumes = found.enumerated().map { label, entry in
      Double(label == 0 ? background : entry?.voxels ?? 0) * own.grid.voxelVolume
    }
  }
}
