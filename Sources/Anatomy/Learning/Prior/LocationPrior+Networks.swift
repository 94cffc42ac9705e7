import Imaging
import Networks

extension Grid {
  /// The same voxels as the networks count them: x is the last axis, the fastest in memory.
  package var networkExtents: Networks.Extents {
    Networks.Extents(extents.z, extents.y, extents.x)
  }
}

extension LocationPrior {
  /// The prior as a layer reads it that displaces it.
  package var bytes: BytePrior {
    BytePrior(
      extents: grid.networkExtents, labels: table.count, starts: starts, entries: entries)
  }

  /// The most probable label at every voxel as a position in the table; the lower one wins a tie.
  package func mostProbableChannels() -> [UInt8] {
    (0..<grid.count).map { voxel in
      var (best, highest) = (UInt8(0), 0)
      for entry in entries[Int(starts[voxel])..<Int(starts[voxel + 1])]
      where Int(entry & 255) > highest {
        (best, highest) = (UInt8(entry >> 8), Int(entry & 255))
      }
      return best
    }
  }
}
