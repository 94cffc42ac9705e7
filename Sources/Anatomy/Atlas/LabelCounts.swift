import Foundation
import Imaging
import Parallel

/// How often each label was seen at each voxel of the atlas grid (DESIGN: n_jk), over any number of maps.
///
/// Memory is two bytes a voxel and label, whatever the number of maps.
package final class LabelCounts {
  package let grid: Grid
  package let labels: Int
  /// Maps counted so far.
  package private(set) var maps = 0
  /// Channel by channel, `labels * grid.count` values.
  private var counts: [UInt16]

  package init(grid: Grid, labels: Int) {
    self.grid = grid
    self.labels = labels
    counts = [UInt16](repeating: 0, count: labels * grid.count)
  }

  /// Counts one map on the grid; voxels that are `ChannelMap.missing` count for no label.
  ///
  /// - Throws: `AnatomyError.tooManyMaps` when a counter could overflow.
  package func add(_ channels: [UInt8]) throws {
    guard maps < Int(UInt16.max) else { throw AnatomyError.tooManyMaps(most: Int(UInt16.max)) }
    maps += 1
    change(channels, by: 1)
  }

  /// Takes back a map that was added.
  package func remove(_ channels: [UInt8]) {
    maps -= 1
    change(channels, by: UInt16.max)
  }

  private func change(_ channels: [UInt8], by amount: UInt16) {
    let count = grid.count
    let labels = labels
    counts.withUnsafeMutableBufferPointer { buffer in
      nonisolated(unsafe) let counts = buffer
      Parallel.forEachRange(of: count, size: 1 << 16) { range in
        for voxel in range where Int(channels[voxel]) < labels {
          counts[Int(channels[voxel]) * count + voxel] &+= amount
        }
      }
    }
  }

  /// Adds the counts of another set on the same grid.
  package func add(_ other: LabelCounts) throws {
    guard maps + other.maps <= Int(UInt16.max) else {
      throw AnatomyError.tooManyMaps(most: Int(UInt16.max))
    }
    maps += other.maps
    for i in counts.indices { counts[i] += other.counts[i] }
  }

  /// Takes back the counts of another set.
  package func subtract(_ other: LabelCounts) {
    maps -= other.maps
    for i in counts.indices { counts[i] -= other.counts[i] }
  }

  /// The location prior: counts smoothed by a Gaussian, divided by the smoothed number of maps that reach
  /// each voxel, and rounded to multiples of 1/255 that sum to 1.
  /// `smoothing` is the standard deviation of the Gaussian, in mm.
  package func prior(table: LabelTable, smoothing: Double) -> LocationPrior {
    let (grid, labels) = (grid, labels)
    let slices = max(1, min(8, grid.extents.z))
    let plane = grid.extents.x * grid.extents.y
    let count = grid.count
    let kernels = (0..<3).map { Self.gaussian(deviation: smoothing / grid.spacing[$0]) }
    var quantised = [UInt8](repeating: 0, count: labels * count)
    var covered = [Bool](repeating: false, count: count)
    quantised.withUnsafeMutableBufferPointer { quantisedBuffer in
      covered.withUnsafeMutableBufferPointer { coveredBuffer in
        counts.withUnsafeBufferPointer { countsBuffer in
          nonisolated(unsafe) let out = quantisedBuffer
          nonisolated(unsafe) let reached = coveredBuffer
          nonisolated(unsafe) let source = countsBuffer
          Parallel.forEachRange(of: grid.extents.z, size: slices) { range in
            let voxels = range.count * plane
            var smoothed: [(label: Int, values: [Float])] = []
            for label in 0..<labels {
              let channel = UnsafeBufferPointer(
                rebasing: source[label * count..<(label + 1) * count])
              if let values = Self.smooth(
                channel, extents: grid.extents, slices: range, kernels: kernels)
              {
                smoothed.append((label, values))
              }
            }
            var shares = [Float](repeating: 0, count: smoothed.count)
            for voxel in 0..<voxels {
              var sum: Float = 0
              for i in smoothed.indices {
                shares[i] = smoothed[i].values[voxel]
                sum += shares[i]
              }
              guard sum > 1e-3 else { continue }
              let target = range.lowerBound * plane + voxel
              reached[target] = true
              shares.withUnsafeMutableBufferPointer { shares in
                ProbabilityBytes.quantise(shares, sum: sum) { i, value in
                  out[smoothed[i].label * count + target] = value
                }
              }
            }
          }
        }
      }
    }
    let outside = outsideMixture(quantised, covered: covered)
    fill(&quantised, where: covered, with: outside)
    return quantised.withUnsafeBufferPointer {
      LocationPrior(grid: grid, table: table, outside: outside, channels: $0)
    }
  }

  /// The mean of the prior over the outermost shell of the grid, where maps reach it: what is to be
  /// expected beyond. A hundredth of it is spread over all labels that the shell holds and background.
  private func outsideMixture(_ quantised: [UInt8], covered: [Bool]) -> [Float] {
    var sums = [Double](repeating: 0, count: labels)
    let e = grid.extents
    for z in 0..<e.z {
      for y in 0..<e.y {
        let whole = z == 0 || z == e.z - 1 || y == 0 || y == e.y - 1
        for x in stride(from: 0, to: e.x, by: whole ? 1 : max(1, e.x - 1)) {
          let voxel = grid.index(x, y, z)
          guard covered[voxel] else { continue }
          for label in 0..<labels { sums[label] += Double(quantised[label * grid.count + voxel]) }
        }
      }
    }
    let total = sums.reduce(0, +)
    guard total > 0 else {
      return (0..<labels).map { $0 == 0 ? 1 : 0 }
    }
    let present = sums.indices.filter { $0 == 0 || sums[$0] > 1e-3 * total }
    return sums.indices.map { label in
      present.contains(label)
        ? Float(0.99 * sums[label] / total + 0.01 / Double(present.count)) : 0
    }.normalised()
  }

  private func fill(_ quantised: inout [UInt8], where covered: [Bool], with mixture: [Float]) {
    var shares = mixture
    var bytes: [(Int, UInt8)] = []
    shares.withUnsafeMutableBufferPointer { shares in
      ProbabilityBytes.quantise(shares, sum: mixture.reduce(0, +)) { bytes.append(($0, $1)) }
    }
    for voxel in covered.indices where !covered[voxel] {
      for (label, value) in bytes { quantised[label * grid.count + voxel] = value }
    }
  }

  /// Weights of a Gaussian out to three standard deviations, sum 1.
  static func gaussian(deviation: Double) -> [Float] {
    guard deviation > 0.05 else { return [1] }
    let radius = Int((3 * deviation).rounded(.up))
    return (-radius...radius).map { Float(exp(-0.5 * Double($0 * $0) / (deviation * deviation))) }
      .normalised()
  }

  /// One channel's slices, smoothed along all axes; voxels beyond the grid count as not seen. Nil where
  /// the label is absent.
  private static func smooth(
    _ channel: UnsafeBufferPointer<UInt16>, extents: SIMD3<Int>, slices: Range<Int>,
    kernels: [[Float]]
  ) -> [Float]? {
    let (nx, ny) = (extents.x, extents.y)
    let plane = nx * ny
    let reach = kernels[2].count / 2
    let first = max(0, slices.lowerBound - reach)
    let last = min(extents.z, slices.upperBound + reach)
    guard channel[first * plane..<last * plane].contains(where: { $0 != 0 }) else { return nil }
    var result = [Float](repeating: 0, count: slices.count * plane)
    var row = [Float](repeating: 0, count: plane)
    var turned = [Float](repeating: 0, count: plane)
    for z in first..<last {
      let slice = channel[z * plane..<(z + 1) * plane]
      guard slice.contains(where: { $0 != 0 }) else { continue }
      for (i, value) in slice.enumerated() { row[i] = Float(value) }
      convolve(row, into: &turned, lines: ny, length: nx, along: 1, across: nx, kernels[0])
      convolve(turned, into: &row, lines: nx, length: ny, along: nx, across: 1, kernels[1])
      for target in max(slices.lowerBound, z - reach)..<min(slices.upperBound, z + reach + 1) {
        let weight = kernels[2][z - target + reach]
        let base = (target - slices.lowerBound) * plane
        for i in 0..<plane { result[base + i] += weight * row[i] }
      }
    }
    return result
  }

  private static func convolve(
    _ source: [Float], into target: inout [Float], lines: Int, length: Int, along: Int, across: Int,
    _ kernel: [Float]
  ) {
    let radius = kernel.count / 2
    source.withUnsafeBufferPointer { source in
      target.withUnsafeMutableBufferPointer { target in
        for i in target.indices { target[i] = 0 }
        for offset in -radius...radius {
          let weight = kernel[offset + radius]
          let low = max(0, -offset)
          let high = min(length, length - offset)
          guard low < high else { continue }
          if along == 1 {
            for line in 0..<lines {
              for i in line * across + low..<line * across + high {
                target[i] += weight * source[i + offset]
              }
            }
          } else {
            for i in low * along..<high * along {
              target[i] += weight * source[i + offset * along]
            }
          }
        }
      }
    }
  }
}

extension [Float] {
  /// Divided by their sum.
  func normalised() -> [Float] {
    let sum = reduce(0, +)
    return sum > 0 ? map { $0 / sum } : self
  }
}
