import CKernels
import Parallel

/// Log prior of every label at every voxel, in 16 bits, kept for the labels that are possible
/// nearby.
///
/// Voxels are taken 64 at a time, in memory order (a tile); a tile has an entry for each label
/// worth keeping there: the label and 64 log priors in half precision. A dense prior has K entries
/// a tile (2 K bytes a voxel); where few labels are possible, a sparse one is that much smaller,
/// and the output pass over it that much faster. Half precision keeps log priors to 1 part in 2048:
/// of -10 nats, within 0.004 nats.
package final class LabelPrior: Sendable {
  /// Number of voxels.
  package let voxels: Int
  /// K.
  package let labelCount: Int
  /// First entry of each tile, and after the last.
  let start: [UInt32]
  /// Label of each entry.
  let labels: [UInt8]
  /// `[entries][64]` in half precision.
  private let storage: Tensor

  /// Voxels of a tile.
  package static let tile = Int(SEGPIPE_TILE)
  private static let tilesPerPart = 256

  /// Builds a prior tile by tile.
  ///
  /// `fill` writes a tile's log priors `[K][64]`, in nats; it is called twice a tile, from several
  /// threads, and voxels beyond the last are ignored. A label whose log prior is below `threshold`
  /// at all 64 voxels of a tile is dropped there; minus infinity keeps all: a dense prior. K is at
  /// most 255. Throws `NetworkError.outOfMemory`.
  package init(
    voxels: Int, labels labelCount: Int, threshold: Float = -.infinity,
    fill: @Sendable (_ tile: Int, _ values: UnsafeMutableBufferPointer<Float>) -> Void
  ) throws {
    precondition((1...255).contains(labelCount), "labels (=\(labelCount)) must be 1 to 255")
    let tile = Self.tile
    let tiles = (voxels + tile - 1) / tile
    let parts = (tiles + Self.tilesPerPart - 1) / Self.tilesPerPart

    @Sendable func forEachTile(
      of part: Int, _ body: (Int, UnsafeMutableBufferPointer<Float>, [UInt8]) -> Void
    ) {
      var values = [Float](repeating: 0, count: labelCount * tile)
      for index in part * Self.tilesPerPart..<min(tiles, (part + 1) * Self.tilesPerPart) {
        values.withUnsafeMutableBufferPointer { values in
          fill(index, values)
          let present = min(tile, voxels - index * tile)
          let highest = (0..<labelCount).map { label in
            values[label * tile..<label * tile + present].max() ?? -.infinity
          }
          var kept = (0..<labelCount).filter { highest[$0] >= threshold }
          if kept.isEmpty { kept = [highest.indices.max { highest[$0] < highest[$1] } ?? 0] }
          body(index, values, kept.map { UInt8($0) })
        }
      }
    }

    let lists = Parallel.map(parts) { part in
      var lists: [[UInt8]] = []
      forEachTile(of: part) { lists.append($2) }
      return lists
    }
    var start: [UInt32] = [0]
    var labels: [UInt8] = []
    for list in lists.joined() {
      labels += list
      start.append(UInt32(labels.count))
    }
    let storage = try Tensor(count: max(1, labels.count * tile / 2))
    self.voxels = voxels
    self.labelCount = labelCount
    self.start = start
    self.labels = labels
    self.storage = storage
    let offsets = start
    Parallel.forEach(parts) { part in
      let half = UnsafeMutableRawPointer(storage.pointer).assumingMemoryBound(to: UInt16.self)
      forEachTile(of: part) { index, values, kept in
        for (entry, label) in kept.enumerated() {
          segpipe_to_half(
            values.baseAddress.map { $0 + Int(label) * tile },
            half + (Int(offsets[index]) + entry) * tile,
            tile)
        }
      }
    }
  }

  /// Number of tiles.
  package var tiles: Int { start.count - 1 }

  /// `[entries][64]` in half precision; valid while this prior lives.
  var logPrior: UnsafePointer<UInt16> {
    UnsafePointer(UnsafeMutableRawPointer(storage.pointer).assumingMemoryBound(to: UInt16.self))
  }
}
