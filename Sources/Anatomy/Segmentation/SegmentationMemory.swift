/// What segmenting scans takes, in bytes: an estimate, by the peaks that scans of 4, 7, 17 and 70 million
/// voxels reached with the head atlas (7 million voxels).
package struct SegmentationMemory: Equatable, Sendable {
  /// Voxels of the atlas.
  private let atlas: Int
  private let readsAnatomy: Bool
  private let usesContext: Bool
  private let samples: Int

  /// `readsAnatomy`: whether z is read through a trained prior, of which `samples` anatomies are kept;
  /// `usesContext`: whether there is a trained context.
  package init(atlas: Int, readsAnatomy: Bool, usesContext: Bool, samples: Int = 1) {
    self.atlas = atlas
    self.readsAnatomy = readsAnatomy
    self.usesContext = usesContext
    self.samples = readsAnatomy ? samples : 0
  }

  /// With the head atlas, its trained prior and its trained context.
  package static let head = SegmentationMemory(
    atlas: 160 * 192 * 224, readsAnatomy: true, usesContext: true)

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
