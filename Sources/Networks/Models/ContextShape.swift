/// The sizes of a `ContextNetwork`.
package struct ContextShape: Hashable, Sendable, Codable {
  /// M, the labels that the network tells apart.
  package let labels: Int
  /// Channels at full resolution.
  package let features: Int
  /// Channels at half of it.
  package let coarseFeatures: Int

  package init(labels: Int, features: Int = 16, coarseFeatures: Int = 32) {
    self.labels = labels
    self.features = features
    self.coarseFeatures = coarseFeatures
  }

  /// Voxels from one that still counts to the voxel that is judged, along each axis, rounded up to an even
  /// number: what a tile needs beyond what it is for.
  package static let reach = 8
}
