import Imaging
import Parallel

extension LocationPrior {
  /// A prior from the probabilities of each label over the grid, one label after the other, in 1/255.
  package init(
    grid: Grid, table: LabelTable, outside: [Float], channels: UnsafeBufferPointer<UInt8>
  ) {
    precondition(
      channels.count == table.count * grid.count,
      "\(channels.count) values for \(table.count) labels of \(grid.count) voxels")
    let voxels = grid.extents.x * grid.extents.y
    nonisolated(unsafe) let channels = channels
    let planes = Parallel.map(grid.extents.z) { z in
      PriorPlane(channels, from: z * voxels, voxels: voxels, step: grid.count)
    }
    self.init(grid: grid, table: table, outside: outside, planes: planes)
  }

  /// A voxel whose probabilities do not sum to 1, and their sum in 1/255.
  var unfinished: (voxel: Int, sum: Int)? {
    let voxels = grid.extents.x * grid.extents.y
    let found = Parallel.map(grid.extents.z) { z -> (voxel: Int, sum: Int)? in
      for voxel in z * voxels..<(z + 1) * voxels {
        var sum = 0
        for i in Int(starts[voxel])..<Int(starts[voxel + 1]) { sum += Int(entries[i] & 255) }
        if sum != 255 { return (voxel, sum) }
      }
      return nil
    }
    return found.lazy.compactMap { $0 }.first
  }

  /// Another prior of the same labels on the same grid: `make` hands on its planes along the last axis and their
  /// probabilities, `[voxels, padded K]` as a network has them, from several threads and in any order.
  func remade(
    _ make: (@Sendable (_ plane: Int, _ values: UnsafeBufferPointer<Float>) -> Void) throws -> Void
  ) rethrows -> LocationPrior {
    let voxels = grid.extents.x * grid.extents.y
    var planes = [PriorPlane?](repeating: nil, count: grid.extents.z)
    try planes.withUnsafeMutableBufferPointer { buffer in
      nonisolated(unsafe) let slots = buffer
      try make { plane, values in slots[plane] = PriorPlane(values, voxels: voxels) }
    }
    return LocationPrior(
      grid: grid, table: table, outside: outside, planes: planes.compactMap { $0 })
  }

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
