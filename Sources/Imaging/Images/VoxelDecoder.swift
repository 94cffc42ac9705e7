import CNIfTI
import Parallel

/// Turns a file's bytes into numbers.
///
/// libnifti2's reader is not used for this: it silently puts 0 where a float is not finite, and
/// takes a file whose gzip trailer is missing. It is the oracle in the tests, on sound files.
enum VoxelDecoder {
  /// What was seen while converting.
  struct Statistics: Sendable, Equatable {
    var notANumber = 0
    var infinite = 0
    /// Finite in the file, not finite once scaled to single precision.
    var overflowed = 0
    /// Integers of more than 53 bits.
    var inexact = 0
    var minimum = Float.infinity
    var maximum = -Float.infinity

    mutating func add(_ other: Statistics) {
      notANumber += other.notANumber
      infinite += other.infinite
      overflowed += other.overflowed
      inexact += other.inexact
      minimum = min(minimum, other.minimum)
      maximum = max(maximum, other.maximum)
    }
  }

  /// A value that no label can have.
  struct BadLabel: Sendable {
    enum Reason: Sendable { case negative, fractional, notFinite, tooLarge }
    let index: Int
    let value: Double
    let reason: Reason
  }

  /// How far from a whole number a label may lie: rounding in a scale factor, not interpolation.
  static let labelTolerance = 1e-3

  private static let chunk = 1 << 17

  /// Brings voxels into this machine's byte order, in place.
  static func swap(_ bytes: UnsafeMutableRawBufferPointer, _ type: VoxelType, bigEndian: Bool) {
    let isNative = bigEndian == (1.bigEndian == 1)
    guard !isNative, type.bytes > 1 else { return }
    nonisolated(unsafe) let base = bytes
    Parallel.forEachRange(of: bytes.count / type.bytes, size: chunk) { range in
      nifti_swap_Nbytes(
        Int64(range.count), Int32(type.bytes),
        base.baseAddress?.advanced(by: range.lowerBound * type.bytes))
    }
  }

  /// Scaled intensities; values that are not finite become not-a-number.
  ///
  /// `bytes` are voxels in this machine's byte order, at any alignment.
  static func intensities(
    _ bytes: UnsafeRawBufferPointer, _ type: VoxelType, count: Int,
    scaling: (slope: Double, intercept: Double)
  ) -> ([Float], Statistics) {
    switch type {
    case .uint8: intensities(bytes, UInt8.self, count, scaling)
    case .int8: intensities(bytes, Int8.self, count, scaling)
    case .uint16: intensities(bytes, UInt16.self, count, scaling)
    case .int16: intensities(bytes, Int16.self, count, scaling)
    case .uint32: intensities(bytes, UInt32.self, count, scaling)
    case .int32: intensities(bytes, Int32.self, count, scaling)
    case .uint64: intensities(bytes, UInt64.self, count, scaling)
    case .int64: intensities(bytes, Int64.self, count, scaling)
    case .float32: intensities(bytes, Float.self, count, scaling)
    case .float64: intensities(bytes, Double.self, count, scaling)
    }
  }

  private static func intensities<Scalar: VoxelScalar>(
    _ bytes: UnsafeRawBufferPointer, _: Scalar.Type, _ count: Int,
    _ scaling: (slope: Double, intercept: Double)
  ) -> ([Float], Statistics) {
    var statistics = Statistics()
    let values = [Float](unsafeUninitializedCapacity: count) { output, filled in
      nonisolated(unsafe) let (source, target) = (bytes, output)
      let chunks = (count + chunk - 1) / chunk
      let parts = Parallel.map(chunks) { part in
        let range = part * chunk..<min(count, (part + 1) * chunk)
        return scaling.slope == 1 && scaling.intercept == 0
          ? convert(source, Scalar.self, range, target) { $0.asFloat }
          : convert(source, Scalar.self, range, target) {
            Float($0.asDouble * scaling.slope + scaling.intercept)
          }
      }
      for part in parts { statistics.add(part) }
      filled = count
    }
    return (values, statistics)
  }

  @inline(__always)
  private static func convert<Scalar: VoxelScalar>(
    _ source: UnsafeRawBufferPointer, _: Scalar.Type, _ range: Range<Int>,
    _ target: UnsafeMutableBufferPointer<Float>, _ scale: (Scalar) -> Float
  ) -> Statistics {
    var seen = Statistics()
    let size = MemoryLayout<Scalar>.size
    let isReal = Scalar.voxelType.isFloatingPoint
    for index in range {
      let raw = source.loadUnaligned(fromByteOffset: index * size, as: Scalar.self)
      let value = scale(raw)
      seen.minimum = value < seen.minimum ? value : seen.minimum
      seen.maximum = value > seen.maximum ? value : seen.maximum
      target[index] = value
      if size == 8 && !isReal { seen.inexact += abs(raw.asDouble) > 0x1p53 ? 1 : 0 }
    }
    // Rare enough to be worth a second look only where the first one saw something: an infinite
    // extreme, or, as comparisons pass over not-a-number, a sum that is not finite.
    var sum: Float = 0
    if isReal { for index in range { sum += target[index] * 0 } }
    guard sum != 0 || !seen.minimum.isFinite || !seen.maximum.isFinite else { return seen }
    (seen.minimum, seen.maximum) = (.infinity, -.infinity)
    for index in range {
      let raw = source.loadUnaligned(fromByteOffset: index * size, as: Scalar.self).asDouble
      let value = target[index]
      if value.isFinite {
        seen.minimum = min(seen.minimum, value)
        seen.maximum = max(seen.maximum, value)
        continue
      }
      if raw.isNaN {
        seen.notANumber += 1
      } else if raw.isInfinite {
        seen.infinite += 1
      } else {
        seen.overflowed += 1
      }
      target[index] = .nan
    }
    return seen
  }

  /// Labels, and the first voxel whose value cannot be one, if there is any.
  static func labels(
    _ bytes: UnsafeRawBufferPointer, _ type: VoxelType, count: Int,
    scaling: (slope: Double, intercept: Double)
  ) -> ([Int32], BadLabel?) {
    switch type {
    case .uint8: labels(bytes, UInt8.self, count, scaling)
    case .int8: labels(bytes, Int8.self, count, scaling)
    case .uint16: labels(bytes, UInt16.self, count, scaling)
    case .int16: labels(bytes, Int16.self, count, scaling)
    case .uint32: labels(bytes, UInt32.self, count, scaling)
    case .int32: labels(bytes, Int32.self, count, scaling)
    case .uint64: labels(bytes, UInt64.self, count, scaling)
    case .int64: labels(bytes, Int64.self, count, scaling)
    case .float32: labels(bytes, Float.self, count, scaling)
    case .float64: labels(bytes, Double.self, count, scaling)
    }
  }

  private static func labels<Scalar: VoxelScalar>(
    _ bytes: UnsafeRawBufferPointer, _: Scalar.Type, _ count: Int,
    _ scaling: (slope: Double, intercept: Double)
  ) -> ([Int32], BadLabel?) {
    var bad: BadLabel?
    let values = [Int32](unsafeUninitializedCapacity: count) { output, filled in
      nonisolated(unsafe) let (source, target) = (bytes, output)
      let size = MemoryLayout<Scalar>.size
      let parts = Parallel.map((count + chunk - 1) / chunk) { part -> BadLabel? in
        var first: BadLabel?
        for index in part * chunk..<min(count, (part + 1) * chunk) {
          let raw = source.loadUnaligned(fromByteOffset: index * size, as: Scalar.self)
          let value = raw.asDouble * scaling.slope + scaling.intercept
          // One range test first: the conversion traps outside it.
          if value > -0.5, value < 2_147_483_647.5 {
            let label = Int32(value + 0.5)
            target[index] = label
            if abs(value - Double(label)) <= labelTolerance { continue }
          } else {
            target[index] = 0
          }
          if first == nil { first = BadLabel(index: index, value: value, reason: reason(value)) }
        }
        return first
      }
      bad = parts.lazy.compactMap { $0 }.first
      filled = count
    }
    return (values, bad)
  }

  private static func reason(_ value: Double) -> BadLabel.Reason {
    if !value.isFinite { return .notFinite }
    if value < -labelTolerance, value.rounded() == value { return .negative }
    return value >= 2_147_483_647.5 ? .tooLarge : .fractional
  }
}
