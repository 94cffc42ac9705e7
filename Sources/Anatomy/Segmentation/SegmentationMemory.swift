import Imaging

/// What segmenting scans takes, in bytes: an estimate, by the peaks that scans of 4, 7, 17 and 70 million
/// voxels reached with the head atlas (7 million voxels).
package struct SegmentationMemory: Equatable, Sendable {
  /// Voxels of the atlas.
  private let atlas: Int
  /// Of the atlas, background among them.
  private let labels: Int
  private let readsAnatomy: Bool
  private let usesContext: Bool
  private let samples: Int

  /// `readsAnatomy`: whether z is read through a trained prior, of which `samples` anatomies are kept;
  /// `usesContext`: whether there is a trained context.
  package init(
    atlas: Int, labels: Int, readsAnatomy: Bool, usesContext: Bool, samples: Int = 1
  ) {
    (self.atlas, self.labels) = (atlas, labels)
    self.readsAnatomy = readsAnatomy
    self.usesContext = usesContext
    self.samples = readsAnatomy ? samples : 0
  }

  /// With the head atlas, its trained prior and its trained context.
  package static func head(samples: Int = 1) -> SegmentationMemory {
    SegmentationMemory(
      atlas: Grid.standardHead.count, labels: 42, readsAnatomy: true, usesContext: true,
      samples: samples)
  }

  /// What reading the atlas takes, whose file has a byte a voxel and label, beside the program.
  package var reading: Int { 48 << 20 + (13 + labels) * atlas }

  /// What it takes from the beginning to the end of a scan.
  package func whole(voxels: Int) -> Int { max(reading, shared + scan(voxels: voxels)) }

  /// What all scans share: the program and the atlas.
  package var shared: Int { 48 << 20 + 24 * atlas }

  /// What a scan takes beside that.
  package func scan(voxels: Int) -> Int {
    let context = usesContext ? (120 + 22 * max(0, samples - 1)) * atlas + 9 * voxels : 0
    return max(context, withoutContext(voxels: voxels))
  }

  private func withoutContext(voxels: Int) -> Int {
    let labelling = 14 * voxels
    guard readsAnatomy else { return labelling }
    // Networks are gone when labels are found.
    let reading = 77 * atlas + 5 * voxels
    return max(reading, 16 * atlas + labelling) + 10 * atlas * samples
  }
}
