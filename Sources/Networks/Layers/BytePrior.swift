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
    let slice = extents.height * extents.width
    var mask = [UInt16](repeating: 0, count: extents.count)
    var only = [UInt8](repeating: 255, count: extents.count)
    // Each plane's blocks, then where they start, then what is in them.
    let blocks = mask.withUnsafeMutableBufferPointer { mask in
      only.withUnsafeMutableBufferPointer { only in
        nonisolated(unsafe) let (mask, only) = (mask, only)
        return Parallel.map(extents.depth) { z in
          var blocks = 0
          for voxel in z * slice..<(z + 1) * slice {
            let range = Int(starts[voxel])..<Int(starts[voxel + 1])
            for i in range { mask[voxel] |= 1 << (entries[i] >> 12) }
            blocks += mask[voxel].nonzeroBitCount
            if range.count == 1 { only[voxel] = UInt8(entries[range.lowerBound] >> 8) }
          }
          return blocks
        }
      }
    }
    let firsts = blocks.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1) }
    let known = mask
    var start = [UInt32](repeating: 0, count: extents.count)
    let values = [UInt8](unsafeUninitializedCapacity: firsts[blocks.count] * 16) { values, count in
      count = firsts[blocks.count] * 16
      start.withUnsafeMutableBufferPointer { start in
        nonisolated(unsafe) let (start, values) = (start, values)
        Parallel.forEach(blocks.count) { z in
          var next = firsts[z]
          for i in 16 * next..<16 * firsts[z + 1] { values.initializeElement(at: i, to: 0) }
          for voxel in z * slice..<(z + 1) * slice {
            start[voxel] = UInt32(next)
            for i in Int(starts[voxel])..<Int(starts[voxel + 1]) {
              let label = entries[i] >> 8
              let earlier = known[voxel] & (1 << (label / 16) - 1)
              let block = next + earlier.nonzeroBitCount
              values[16 * block + Int(label % 16)] = UInt8(entries[i] & 255)
            }
            next += known[voxel].nonzeroBitCount
          }
        }
      }
    }
    self.start = start
    self.mask = known
    self.values = values
    self.pure = Self.pure(only, extents)
  }

  /// The label that a voxel and its seven neighbours towards higher positions have alone, or 255.
  private static func pure(_ only: [UInt8], _ extents: Extents) -> [UInt8] {
    let (row, slice) = (extents.width, extents.height * extents.width)
    var pure = [UInt8](repeating: 255, count: extents.count)
    pure.withUnsafeMutableBufferPointer { pure in
      nonisolated(unsafe) let pure = pure
      Parallel.forEach(extents.depth - 1) { z in
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
      var sums = [Int](repeating: 0, count: Lanes.padded(labelCount))
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
