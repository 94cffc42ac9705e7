import Imaging
import Parallel

/// Posterior probabilities of labels at every voxel of a scan, kept sparsely: most voxels have one label.
package struct Posteriors: Sendable {
  package let grid: Grid
  /// What a probability of 1 is stored as: 255 or 65535.
  package let levels: Int
  package let labels: Int
  /// For each plane along the third axis: ends of its voxels' entries, and entries of label << 16 | value.
  private let planes: [Plane]

  struct Plane: Sendable {
    var ends: [UInt32] = []
    var entries: [UInt32] = []

    /// The probabilities of the next voxel, one a label.
    mutating func append(_ values: [Float], levels: Int) {
      Posteriors.append(values, levels: levels, to: &entries)
      ends.append(UInt32(entries.count))
    }

    /// Replaces the entries of some voxels.
    mutating func replace(_ changed: [Int: [UInt32]]) {
      guard !changed.isEmpty else { return }
      var result = Plane()
      var start = 0
      for (voxel, end) in ends.enumerated() {
        result.entries += changed[voxel].map { $0[...] } ?? entries[start..<Int(end)]
        result.ends.append(UInt32(result.entries.count))
        start = Int(end)
      }
      self = result
    }
  }

  /// Appends a voxel's entries: probabilities as multiples of 1/`levels` that sum to 1; what rounding leaves goes to the
  /// largest.
  static func append(_ values: [Float], levels: Int, to entries: inout [UInt32]) {
    var left = levels
    var largest = 0
    for k in values.indices where values[k] > values[largest] { largest = k }
    let start = entries.count
    var place = -1
    for k in values.indices {
      let value = Int((values[k] * Float(levels)).rounded())
      if value == 0, k != largest { continue }
      if k == largest { place = entries.count }
      entries.append(UInt32(k) << 16 | UInt32(value))
      left -= value
    }
    guard place >= start else { return }
    let kept = Int(entries[place] & 0xFFFF) + left
    entries[place] = UInt32(largest) << 16 | UInt32(max(0, min(levels, kept)))
  }

  init(grid: Grid, levels: Int, labels: Int, planes: [Plane]) {
    self.grid = grid
    self.levels = levels
    self.labels = labels
    self.planes = planes
  }

  /// One label's probabilities over the grid, in units of 1/`levels`, each turned into what is stored.
  package func channel<Stored: FixedWidthInteger & BitwiseCopyable & Sendable>(
    _ label: Int, _ store: @Sendable (UInt32) -> Stored
  ) -> [Stored] {
    let size = grid.extents.x * grid.extents.y
    return [Stored](unsafeUninitializedCapacity: grid.count) { buffer, filled in
      nonisolated(unsafe) let target = buffer
      target.initialize(repeating: 0)
      Parallel.forEach(planes.count) { z in
        planes[z].ends.withUnsafeBufferPointer { ends in
          planes[z].entries.withUnsafeBufferPointer { entries in
            var entry = 0
            for voxel in 0..<size {
              let end = Int(ends[voxel])
              while entry < end {
                let packed = entries[entry]
                if Int(packed >> 16) == label { target[z * size + voxel] = store(packed & 0xFFFF) }
                entry += 1
              }
            }
          }
        }
      }
      filled = grid.count
    }
  }
}
