import Foundation

/// Random numbers that can be had again: `seed` is told at the start, should the program crash, and by a test that
/// fails; `SEGPIPE_SEED` sets it. Without that every run has another.
///
/// SplitMix64 (Steele, Lea and Flood 2014).
package struct SeededRandom: RandomNumberGenerator {
  package let seed: UInt64
  private var state: UInt64

  package init() {
    let wanted = ProcessInfo.processInfo.environment["SEGPIPE_SEED"].flatMap { UInt64($0) }
    seed = wanted ?? UInt64.random(in: 0..<1 << 32)
    state = seed
    print("random numbers of SEGPIPE_SEED=\(seed)")
  }

  package mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
