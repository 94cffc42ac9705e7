/// Probabilities as bytes: multiples of 1/255 that sum to exactly 1.
enum ProbabilityBytes {
  /// Rounds shares, whose sum is `sum`, by largest remainder; the first wins a tie. Calls `store` with
  /// the position and value of each that is not 0, in order. The shares are overwritten.
  @inline(__always)
  static func quantise(
    _ shares: UnsafeMutableBufferPointer<Float>, sum: Float, _ store: (Int, UInt8) -> Void
  ) {
    let scale = 255 / sum
    var left = 255
    for i in shares.indices {
      shares[i] *= scale
      left -= Int(shares[i])
    }
    while left > 0 {
      var best = 0
      var largest: Float = -1
      for i in shares.indices {
        let remainder = shares[i] - shares[i].rounded(.down)
        if remainder > largest {
          largest = remainder
          best = i
        }
      }
      shares[best] = shares[best].rounded(.down) + 1
      left -= 1
    }
    for i in shares.indices where shares[i] >= 1 {
      store(i, UInt8(min(255, shares[i])))
    }
  }
}

/// One plane of a location prior, in the layout that `LocationPrior` has.
struct PriorPlane: Sendable {
  /// Number of entries of each voxel.
  let counts: [UInt8]
  /// label << 8 | probability in 1/255, ascending by label within a voxel.
  let entries: [UInt16]

  /// Labels below half of 1/255 are dropped before rounding: what a softmax never quite lets go of is
  /// no label that is possible there.
  fileprivate static let least: Float = 0.5 / 255

  init(counts: [UInt8], entries: [UInt16]) {
    (self.counts, self.entries) = (counts, entries)
  }

  /// From the probabilities of each label over a grid in 1/255, those of one label `step` values behind those of
  /// the one before: of the voxels from `first` on.
  init(_ channels: UnsafeBufferPointer<UInt8>, from first: Int, voxels: Int, step: Int) {
    let source = UnsafeRawBufferPointer(channels)
    // Most of a label's probabilities are 0: eight are passed over at a time.
    func visit(_ body: (_ label: UInt16, _ voxel: Int, _ value: UInt8) -> Void) {
      for label in 0..<channels.count / step {
        let start = label * step + first
        for lower in stride(from: 0, to: voxels, by: 8) {
          let upper = min(lower + 8, voxels)
          if upper - lower == 8,
            source.loadUnaligned(fromByteOffset: start + lower, as: UInt64.self) == 0
          {
            continue
          }
          for voxel in lower..<upper where channels[start + voxel] != 0 {
            body(UInt16(label), voxel, channels[start + voxel])
          }
        }
      }
    }
    var counts = [UInt8](repeating: 0, count: voxels)
    visit { _, voxel, _ in counts[voxel] += 1 }
    var next: [Int] = []
    next.reserveCapacity(voxels)
    var total = 0
    for count in counts {
      next.append(total)
      total += Int(count)
    }
    let entries = [UInt16](unsafeUninitializedCapacity: total) { entries, filled in
      visit { label, voxel, value in
        entries[next[voxel]] = label << 8 | UInt16(value)
        next[voxel] += 1
      }
      filled = total
    }
    self.init(counts: counts, entries: entries)
  }

  /// From probabilities `[voxels, padded K]` that sum to 1 at every voxel; K is padded with zeros to a
  /// multiple of 16.
  init(_ probabilities: UnsafeBufferPointer<Float>, voxels: Int) {
    let blocks = probabilities.count / voxels / 16
    let least = SIMD16<Float>(repeating: Self.least)
    let source = UnsafeRawBufferPointer(probabilities)
    var builder = PriorPlaneBuilder(voxels: voxels)
    withUnsafeTemporaryAllocation(of: Float.self, capacity: 16 * blocks) { shares in
      withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 16 * blocks) { names in
        for voxel in 0..<voxels {
          var found = 0
          for block in 0..<blocks {
            let values = source.loadUnaligned(
              fromByteOffset: (voxel * blocks + block) * 64, as: SIMD16<Float>.self)
            guard any(values .> least) else { continue }
            for lane in 0..<16 where values[lane] > Self.least {
              shares[found] = values[lane]
              names[found] = UInt8(block * 16 + lane)
              found += 1
            }
          }
          builder.append(
            UnsafeBufferPointer(rebasing: names[..<found]),
            UnsafeMutableBufferPointer(rebasing: shares[..<found]))
        }
      }
    }
    self = builder.finish()
  }
}

/// Makes a plane of a location prior voxel by voxel.
struct PriorPlaneBuilder {
  private var counts: [UInt8] = []
  private var entries: [UInt16] = []

  init(voxels: Int) {
    counts.reserveCapacity(voxels)
    entries.reserveCapacity(2 * voxels)
  }

  /// The next voxel, of which `labels` have `values`, which need not sum to 1 and are overwritten.
  mutating func append(
    _ labels: UnsafeBufferPointer<UInt8>, _ values: UnsafeMutableBufferPointer<Float>
  ) {
    let start = entries.count
    defer { counts.append(UInt8(entries.count - start)) }
    if labels.count == 1 { return entries.append(UInt16(labels[0]) << 8 | 255) }
    var all: Float = 0
    for value in values { all += value }
    let least = PriorPlane.least * all
    // Labels that are too rare are set to 0, which rounds to nothing.
    var sum: Float = 0
    for i in values.indices {
      if values[i] > least { sum += values[i] } else { values[i] = 0 }
    }
    guard sum > 0 else { return entries.append(255) }
    ProbabilityBytes.quantise(values, sum: sum) {
      entries.append(UInt16(labels[$0]) << 8 | UInt16($1))
    }
  }

  consuming func finish() -> PriorPlane { PriorPlane(counts: counts, entries: entries) }
}
