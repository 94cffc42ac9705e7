import Glibc
import Parallel

/// Channels over a volume, in the layout of activations between layers.
///
/// `[padded channels / 16][depth][height][width][16]`, so that 16 channels of a voxel fill a vector;
/// channels are rounded up to a multiple of 16, those beyond the last are zero. The plain layout
/// that it is packed from is `[channels][depth][height][width]`.
@usableFromInline package struct ActivationShape: Hashable, Sendable {
  package let channels: Int
  @usableFromInline package let extents: Extents

  package init(channels: Int, extents: Extents) {
    precondition(channels > 0, "channels (=\(channels)) must be positive")
    self.channels = channels
    self.extents = extents
  }

  /// Channels, rounded up to whole vectors.
  package var paddedChannels: Int { Lanes.padded(channels) }

  /// Number of elements in the plain layout.
  package var plainCount: Int { channels * extents.count }

  /// Number of elements in this layout.
  package var count: Int { paddedChannels * extents.count }

  /// Where a channel of a voxel lies, voxels counted over depth, height and width.
  @inlinable package func index(channel: Int, voxel: Int) -> Int {
    (channel / Lanes.count * extents.count + voxel) * Lanes.count + channel % Lanes.count
  }

  /// Copies an activation into the plain layout.
  package func unpack(_ activation: Tensor, into plain: Tensor) {
    copy { plain.pointer[$0] = activation.pointer[$1] }
  }

  /// Copies from the plain layout; padding becomes zero.
  package func pack(_ plain: Tensor, into activation: Tensor) {
    if paddedChannels > channels { activation.fill(with: 0) }
    copy { activation.pointer[$1] = plain.pointer[$0] }
  }

  /// Moves the planes from `planes` on to the beginning; the last ones are left in any state.
  func advance(_ activation: Tensor, by planes: Int) {
    let plane = extents.height * extents.width * Lanes.count
    let (moved, all) = ((extents.depth - planes) * plane, extents.depth * plane)
    Parallel.forEach(paddedChannels / Lanes.count) { block in
      let start = activation.pointer + block * all
      memmove(start, start + planes * plane, moved * MemoryLayout<Float>.stride)
    }
  }

  /// Calls `body` with every element's position in the plain layout and in this one.
  private func copy(_ body: (_ plain: Int, _ blocked: Int) -> Void) {
    let voxels = extents.count
    for channel in 0..<channels {
      let first = index(channel: channel, voxel: 0)
      for voxel in 0..<voxels { body(channel * voxels + voxel, first + voxel * Lanes.count) }
    }
  }
}
