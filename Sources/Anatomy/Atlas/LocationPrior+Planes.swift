import Imaging
import Parallel

extension LocationPrior {
  /// A prior from its planes along the grid's last axis.
  init(grid: Grid, table: LabelTable, outside: [Float], planes: [PriorPlane]) {
    precondition(
      planes.count == grid.extents.z, "\(planes.count) planes for \(grid.extents) voxels")
    let voxels = grid.extents.x * grid.extents.y
    var first = [0]
    for plane in planes { first.append(first[first.count - 1] + plane.entries.count) }
    let offsets = first
    let total = offsets[planes.count]
    let starts = [UInt32](unsafeUninitializedCapacity: grid.count + 1) { buffer, initialized in
      nonisolated(unsafe) let out = buffer
      Parallel.forEach(planes.count) { z in
        var position = UInt32(offsets[z])
        for (i, count) in planes[z].counts.enumerated() {
          out[z * voxels + i] = position
          position += UInt32(count)
        }
      }
      out[grid.count] = UInt32(total)
      initialized = grid.count + 1
    }
    let entries = [UInt16](unsafeUninitializedCapacity: total) { buffer, initialized in
      nonisolated(unsafe) let out = buffer
      Parallel.forEach(planes.count) { z in
        _ = UnsafeMutableBufferPointer(rebasing: out[offsets[z]..<offsets[z + 1]])
          .initialize(fromContentsOf: planes[z].entries)
      }
      initialized = total
    }
    self.init(grid: grid, table: table, outside: outside, starts: starts, entries: entries)
  }
}
