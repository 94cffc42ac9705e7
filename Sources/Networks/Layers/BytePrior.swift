import CKernels
import Parallel

/// A prior over labels at every voxel in bytes of 1/255, for a layer that reads it at displaced
/// positions.
///
/// Labels are taken 16 at a time (a block); a voxel stores the blocks in which it has any.
package final class BytePrior: Sendable {
  package let extents: Extents
  /// K.
  package let labelCount: Int
  let start: [UInt32]
  let mask: [UInt16]
  let pure: [UInt8]
  let values: [UInt8]

  /// Takes a sparse prior: the entries of voxel v are `entries[starts[v]..<starts[v + 1]]`, each
  /// `label << 8 | probability in 1/255`, labels rising. K is at most 254.
  package init(
    extents: Extents, labels: Int, starts: [UInt32], entries: [UInt16]
  ) {
    precondition((1...254).contains(labels), "labels (=\(labels)) must be 1 to 254")
    precondition(starts.count == extents.count + 1, "\(starts.count) starts for \(extents)")
    self.extents = extents
    self.labelCount = labels
    var start = [UInt32](repeating: 0, count: extents.count)
    var mask = [UInt16](repeating: 0, count: extents.count)
    var only = [UInt8](repeating: 255, count: extents.count)
    var values: [UInt8] = []
    values.reserveCapacity(extents.count * 24)
    for voxel in 0..<extents.count {
      start[voxel] = UInt32(values.count / 16)
      let range = Int(starts[voxel])..<Int(starts[voxel + 1])
      var last = -1
      for entry in entries[range] {
        let (label, value) = (Int(entry >> 8), UInt8(entry & 255))
        if label / 16 != last {
          last = label / 16
          mask[voxel] |= 1 << UInt16(last)
          values.append(contentsOf: repeatElement(0, count: 16))
        }
        values[values.count - 16 + label % 16] = value
      }
      if range.count == 1 { only[voxel] = UInt8(entries[range.lowerBound] >> 8) }
    }
    self.start = start
    self.mask = mask
    self.values = values
    self.pure = Self.pure(only, extents)
  }

  /// The label that a voxel and its seven neighbours towards higher positions have alone, or 255.
  private static func pure(_ only: [UInt8], _ extents: Extents) -> [UInt8] {
    let (row, slice) = (extents.width, extents.height * extents.width)
    var pure = [UInt8](repeating: 255, count: extents.count)
    for z in 0..<extents.depth - 1 {
      for y in 0..<extents.height - 1 {
        for x in 0..<extents.width - 1 {
          let v = z * slice + y * row + x
          let label = only[v]
          guard label != 255, only[v + 1] == label, only[v + row] == label,
            only[v + row + 1] == label, only[v + slice] == label, only[v + slice + 1] == label,
            only[v + slice + row] == label, only[v + slice + row + 1] == label
          else { continue }
          pure[v] = label
        }
      }
    }
    return pure
  }

  /// Means over blocks of 2x2x2 voxels; the extents must be even.
  package func halved() -> BytePrior {
    let half = extents.halved
    precondition(
      half.depth * 2 == extents.depth && half.height * 2 == extents.height
        && half.width * 2 == extents.width, "extents (=\(extents)) must be even")
    let (row, slice) = (extents.width, extents.height * extents.width)
    let corners = [0, 1, row, row + 1, slice, slice + 1, slice + row, slice + row + 1]
    let planes = Parallel.map(half.depth) { z -> (counts: [UInt32], entries: [UInt16]) in
      var (counts, entries): ([UInt32], [UInt16]) = ([], [])
      var sums = [Int](repeating: 0, count: (labelCount + 15) / 16 * 16)
      for y in 0..<half.height {
        for x in 0..<half.width {
          for corner in corners {
            add(2 * (z * slice + y * row + x) + corner, to: &sums)
          }
          let before = entries.count
          for label in 0..<labelCount {
            let mean = (sums[label] + 4) / 8
            if mean > 0 { entries.append(UInt16(label) << 8 | UInt16(mean)) }
            sums[label] = 0
          }
          counts.append(UInt32(entries.count - before))
        }
      }
      return (counts, entries)
    }
    var starts: [UInt32] = [0]
    for count in planes.lazy.flatMap(\.counts) { starts.append(starts[starts.count - 1] + count) }
    return BytePrior(
      extents: half, labels: labelCount, starts: starts, entries: planes.flatMap(\.entries))
  }

  /// Adds the probabilities at a voxel, in 1/255, to one sum a label.
  private func add(_ voxel: Int, to sums: inout [Int]) {
    var (blocks, first) = (mask[voxel], Int(start[voxel]) * 16)
    while blocks != 0 {
      let label = blocks.trailingZeroBitCount * 16
      for i in 0..<16 { sums[label + i] += Int(values[first + i]) }
      blocks &= blocks - 1
      first += 16
    }
  }
}
