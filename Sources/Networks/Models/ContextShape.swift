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

  /// What no network can be made of, in words; nil: nothing.
  package var fault: String? {
    for (name, count) in [
      ("labels", labels), ("features", features), ("coarse features", coarseFeatures),
    ]
    where !Self.channels.contains(count) {
      return
        "it has \(count) \(name), expected \(Self.channels.lowerBound) to \(Self.channels.upperBound)"
    }
    return nil
  }

  /// What each size may be.
  private static let channels = 1...1024

  /// Voxels from one that still counts to the voxel that is judged, along each axis, rounded up to an even
  /// number: what a tile needs beyond what it is for.
  package static let reach = 8
}
