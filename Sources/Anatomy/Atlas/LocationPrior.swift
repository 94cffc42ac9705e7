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

  /// The most probable label at every voxel; the lower value wins a tie.
  package func mostProbable() -> Volume<Int32> {
    var values = [Int32](repeating: 0, count: grid.count)
    for voxel in 0..<grid.count {
      var highest = 0
      for entry in entries[Int(starts[voxel])..<Int(starts[voxel + 1])]
      where Int(entry & 255) > highest {
        highest = Int(entry & 255)
        values[voxel] = table.labels[Int(entry >> 8)].index
      }
    }
    return Volume(grid: grid, voxels: values)
  }
}

/// Collects a location prior label by label, as its file is laid out. Serves one thread at a time.
package final class LocationPriorAssembler {
  private let grid: Grid
  private let table: LabelTable
  private var counts: [UInt8]
  /// Sums of the probabilities, in 1/255.
  private var sums: [UInt16]
  private var voxels: [[UInt32]] = []
  private var values: [[UInt8]] = []

  package init(grid: Grid, table: LabelTable) {
    self.grid = grid
    self.table = table
    counts = [UInt8](repeating: 0, count: grid.count)
    sums = [UInt16](repeating: 0, count: grid.count)
  }

  /// Adds the next label's probabilities, `grid.count` values in 1/255.
  package func add(_ channel: UnsafeBufferPointer<UInt8>) {
    var at: [UInt32] = []
    var found: [UInt8] = []
    counts.withUnsafeMutableBufferPointer { counts in
      sums.withUnsafeMutableBufferPointer { sums in
        var voxel = 0
        guard let raw = channel.baseAddress.map(UnsafeRawPointer.init) else { return }
        while voxel < channel.count {
          if voxel + 8 <= channel.count,
            raw.loadUnaligned(fromByteOffset: voxel, as: UInt64.self) == 0
          {
            voxel += 8
            continue
          }
          let end = min(voxel + 8, channel.count)
          while voxel < end {
            if channel[voxel] != 0 {
              at.append(UInt32(truncatingIfNeeded: voxel))
              found.append(channel[voxel])
              counts[voxel] &+= 1
              sums[voxel] &+= UInt16(channel[voxel])
            }
            voxel += 1
          }
        }
      }
    }
    voxels.append(at)
    values.append(found)
  }

  /// A voxel whose probabilities do not sum to 255, and their sum.
  package var unfinished: (voxel: Int, sum: Int)? {
    sums.firstIndex { $0 != 255 }.map { ($0, Int(sums[$0])) }
  }

  /// The finished prior. `outside` has one probability per label.
  package func finish(outside: [Float]) -> LocationPrior {
    var starts = [UInt32](repeating: 0, count: grid.count + 1)
    var position: UInt32 = 0
    for voxel in 0..<grid.count {
      starts[voxel] = position
      position += UInt32(counts[voxel])
    }
    starts[grid.count] = position
    var entries = [UInt16](repeating: 0, count: Int(position))
    var next = starts
    for label in voxels.indices {
      let tag = UInt16(label) << 8
      for i in voxels[label].indices {
        let voxel = Int(voxels[label][i])
        entries[Int(next[voxel])] = tag | UInt16(values[label][i])
        next[voxel] += 1
      }
    }
    return LocationPrior(
      grid: grid, table: table, outside: outside, starts: starts, entries: entries)
  }
}
