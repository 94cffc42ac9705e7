import Foundation

/// Counter-based random numbers: Philox4x32-10 (Salmon, Moraes, Dror and Shaw, SC 2011).
///
/// The n-th number depends on seed, stream and n alone, so that the state is one position, and
/// streams never meet.
package struct Philox: Hashable, Sendable, Codable, RandomNumberGenerator {
  package let seed: UInt64
  package let stream: UInt64
  /// Number of 32-bit words drawn so far.
  package private(set) var position: UInt64

  package init(seed: UInt64, stream: UInt64 = 0, position: UInt64 = 0) {
    self.seed = seed
    self.stream = stream
    self.position = position
  }

  /// Four words from one counter and key.
  package static func block(counter: SIMD4<UInt32>, key: SIMD2<UInt32>) -> SIMD4<UInt32> {
    var (counter, key) = (counter, key)
    for _ in 0..<10 {
      let a = UInt64(0xD251_1F53) * UInt64(counter.x)
      let b = UInt64(0xCD9E_8D57) * UInt64(counter.z)
      counter = SIMD4(
        UInt32(b >> 32) ^ counter.y ^ key.x, UInt32(truncatingIfNeeded: b),
        UInt32(a >> 32) ^ counter.w ^ key.y, UInt32(truncatingIfNeeded: a))
      key = key &+ SIMD2(0x9E37_79B9, 0xBB67_AE85)
    }
    return counter
  }

  /// The next 32 random bits.
  package mutating func word() -> UInt32 {
    let index = position / 4
    let counter = SIMD4(
      UInt32(truncatingIfNeeded: index), UInt32(truncatingIfNeeded: index >> 32),
      UInt32(truncatingIfNeeded: stream), UInt32(truncatingIfNeeded: stream >> 32))
    let key = SIMD2(UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32))
    let words = Self.block(counter: counter, key: key)
    defer { position += 1 }
    return words[Int(position % 4)]
  }

  /// The next 64 random bits.
  package mutating func next() -> UInt64 {
    let low = UInt64(word())
    return UInt64(word()) << 32 | low
  }

  /// Uniform in [0, 1), a multiple of 2^-24.
  package mutating func uniform() -> Float { Float(word() >> 8) * 0x1p-24 }

  /// Normal with mean 0 and standard deviation 1 (Box and Muller); takes two words.
  package mutating func normal() -> Float {
    let radius = (-2 * log((Double(word()) + 0.5) * 0x1p-32)).squareRoot()
    return Float(radius * cos(2 * .pi * (Double(word()) + 0.5) * 0x1p-32))
  }
}
