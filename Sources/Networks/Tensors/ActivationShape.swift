/// Channels over a volume, in one of two layouts.
///
/// Blocked, between layers: `[padded channels / 16][depth][height][width][16]`, so that the
/// channels of a voxel fill a vector; channels are rounded up to a multiple of 16, those beyond the
/// last are zero. Plain, for inputs of few channels such as a scan:
/// `[channels][depth][height][width]`.
package struct ActivationShape: Hashable, Sendable {
  package let channels: Int
  package let extents: Extents
  /// Channels that lie side by side at a voxel: 16 or, if plain, 1.
  package let block: Int

  /// The blocked layout.
  package init(channels: Int, extents: Extents) {
    self.init(channels: channels, extents: extents, block: 16)
  }

  /// The plain layout.
  package static func plain(channels: Int, extents: Extents) -> ActivationShape {
    ActivationShape(channels: channels, extents: extents, block: 1)
  }

  private init(channels: Int, extents: Extents, block: Int) {
    precondition(channels > 0, "channels (=\(channels)) must be positive")
    self.channels = channels
    self.extents = extents
    self.block = block
  }

  /// Channels, rounded up to whole blocks.
  package var paddedChannels: Int { (channels + block - 1) / block * block }

  /// Number of elements in the plain layout.
  package var plainCount: Int { channels * extents.count }

  /// Number of elements in this layout.
  package var count: Int { paddedChannels * extents.count }

  /// Copies an activation into the plain layout.
  package func unpack(_ activation: Tensor, into plain: Tensor) {
    copy { plain.pointer[$0] = activation.pointer[$1] }
  }

  /// Copies from the plain layout; padding becomes zero.
  package func pack(_ plain: Tensor, into activation: Tensor) {
    if paddedChannels > channels { activation.fill(with: 0) }
    copy { activation.pointer[$1] = plain.pointer[$0] }
  }

  /// Calls `body` with every element's position in the plain layout and in this one.
  private func copy(_ body: (_ plain: Int, _ blocked: Int) -> Void) {
    let voxels = extents.count
    for channel in 0..<channels {
      let first = channel / block * voxels * block + channel % block
      for voxel in 0..<voxels { body(channel * voxels + voxel, first + voxel * block) }
    }
  }
}
