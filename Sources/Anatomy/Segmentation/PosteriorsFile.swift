import Files
import Imaging

/// Posterior probabilities as a 4-D image, a volume for each label of the table, background first.
package enum PosteriorsFile {
  /// Writes them on the scan's own grid, one volume in memory at a time. Stored values times the slope sum
  /// to 1 at every voxel. The geometry of the scan's header is repeated. The file has no name yet: it is to be
  /// committed with others.
  ///
  /// - Throws: `ImagingError` when the file cannot be written.
  package static func staged(
    _ posteriors: Posteriors, order: VoxelOrder, like header: ImageHeader, to path: String,
    description: String, progress: (Double) -> Void = { _ in }
  ) throws -> AtomicFile {
    var labelling = VolumeStreamWriter.Labelling()
    labelling.slope = 1 / Double(posteriors.levels)
    labelling.displayRange = (0, 1)
    labelling.description = description
    let isNarrow = posteriors.levels <= 255
    // Mostly zeros: a low level is as small and much faster.
    let writer = try VolumeStreamWriter(
      path, grid: order.source, like: header, volumes: posteriors.labels,
      type: isNarrow ? .uint8 : .uint16, labelling: labelling, level: 3)
    for label in 0..<posteriors.labels {
      if isNarrow {
        let channel = posteriors.channel(label) { UInt8(truncatingIfNeeded: $0) }
        try writer.write(order.undo(Volume(grid: order.target, voxels: channel)).voxels)
      } else {
        let channel = posteriors.channel(label) { UInt16(truncatingIfNeeded: $0) }
        try writer.write(order.undo(Volume(grid: order.target, voxels: channel)).voxels)
      }
      progress(Double(label + 1) / Double(posteriors.labels))
    }
    return try writer.staged()
  }
}
