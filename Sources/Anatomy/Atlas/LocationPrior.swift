import CKernels
import Imaging
import Parallel

/// The location prior: at each voxel of the atlas grid, a probability for every label of its table.
///
/// Stored sparsely, since most voxels have few labels with a probability worth keeping; probabilities are
/// multiples of 1/255 that sum to exactly 1 at every voxel (DESIGN: a_jk).
package struct LocationPrior: Sendable {
  package let grid: Grid
  /// Labels; position in the table is the channel k. At most 256.
  package let table: LabelTable
  /// Probabilities that apply beyond the grid (K values, sum 1): an extra-cerebral mixture.
  package let outside: [Float]
  /// `grid.count + 1` positions in `entries`.
  let starts: [UInt32]
  /// label << 8 | probability in 1/255, ascending by label within a voxel.
  let entries: [UInt16]

  /// The same probabilities under another table of as many labels: other tissue groups.
  func replacing(_ table: LabelTable) -> LocationPrior {
    LocationPrior(grid: grid, table: table, outside: outside, starts: starts, entries: entries)
  }

  /// Probability of every label at a voxel, K values.
  package func probabilities(at voxel: Int) -> [Float] {
    var values = [Float](repeating: 0, count: table.labels.count)
    for entry in entries[Int(starts[voxel])..<Int(starts[voxel + 1])] {
      values[Int(entry >> 8)] = Float(entry & 255) / 255
    }
    return values
  }

  /// Probability of one label at a voxel.
  package func probability(of label: Int, at voxel: Int) -> Float {
    for entry in entries[Int(starts[voxel])..<Int(starts[voxel + 1])]
    where Int(entry >> 8) == label {
      return Float(entry & 255) / 255
    }
    return 0
  }

  /// The probability of one label over the grid, in 1/255.
  package func channel(_ label: Int) -> [UInt8] {
    var values = [UInt8](repeating: 0, count: grid.count)
    for voxel in 0..<grid.count {
      for entry in Int(starts[voxel])..<Int(starts[voxel + 1])
      where Int(entries[entry] >> 8) == label {
        values[voxel] = UInt8(truncatingIfNeeded: entries[entry])
      }
    }
    return values
  }

  /// Lends the prior to a kernel.
  func withKernelPrior<Result>(_ body: (segpipe_sparse_prior) -> Result) -> Result {
    starts.withUnsafeBufferPointer { starts in
      entries.withUnsafeBufferPointer { entries in
        outside.withUnsafeBufferPointer { outside in
          body(
            segpipe_sparse_prior(
              starts: starts.baseAddress, entries: entries.baseAddress,
              outside: outside.baseAddress, labels: Int32(table.count),
              nx: Int32(grid.extents.x), ny: Int32(grid.extents.y), nz: Int32(grid.extents.z)))
        }
      }
    }
  }
}
