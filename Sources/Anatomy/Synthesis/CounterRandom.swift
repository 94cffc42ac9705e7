import Foundation
import Imaging

/// Random numbers that are a function of a seed, a stream and a counter: the n-th number is the same
/// whoever asks for it, in whatever order, on any number of threads.
///
/// SplitMix64's mixing function (Steele, Lea and Flood 2014) on a key that differs from stream to stream.
package struct CounterRandom: Sendable {
  private let key: UInt64

  /// Numbers of different streams have nothing to do with each other.
  package init(seed: UInt64, stream: UInt64) {
    key = Self.mix(Self.mix(seed &+ 0x9E37_79B9_7F4A_7C15) ^ Self.mix(~stream))
  }

  /// 64 random bits.
  @inline(__always)
  package func bits(_ counter: Int) -> UInt64 {
    Self.mix(key &+ UInt64(truncatingIfNeeded: counter) &* 0x9E37_79B9_7F4A_7C15)
  }

  /// Evenly spread over 0..<1.
  @inline(__always)
  package func uniform(_ counter: Int) -> Double { Double(bits(counter) >> 11) * 0x1p-53 }

  /// Two independent numbers of mean 0 and variance 1 (Box and Muller).
  @inline(__always)
  package func normals(_ counter: Int) -> (Double, Double) {
    let radius = (-2 * log(1 - uniform(2 &* counter))).squareRoot()
    let angle = 2 * Double.pi * uniform(2 &* counter &+ 1)
    return (radius * cos(angle), radius * sin(angle))
  }

  @inline(__always)
  private static func mix(_ value: UInt64) -> UInt64 {
    var z = value
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

extension Displacement {
  /// A smooth random field over a grid: independent normal values at the nodes, smoothed over neighbours,
  /// with the given standard deviation along each axis, in mm.
  package static func random(
    over grid: Grid, spacing: Double, deviation: Double, _ random: CounterRandom
  ) -> Displacement {
    var field = Displacement(over: grid, spacing: spacing)
    for node in field.values.indices {
      let (x, y) = random.normals(2 * node)
      let z = random.normals(2 * node + 1).0
      field.values[node] = SIMD4(Float(x), Float(y), Float(z), 0)
    }
    let strides = [1, field.nodes.x, field.nodes.x * field.nodes.y]
    for axis in 0..<3 {
      let (source, step, size) = (field.values, strides[axis], field.nodes[axis])
      for node in source.indices {
        let place = node / step % size
        let before = place > 0 ? source[node - step] : source[node]
        let after = place + 1 < size ? source[node + step] : source[node]
        field.values[node] = 0.25 * before + 0.5 * source[node] + 0.25 * after
      }
    }
    // Three averages with weights 1/4, 1/2, 1/4 leave (3/8)^(3/2) of the deviation.
    let scale = Float(deviation / pow(0.375, 1.5))
    for node in field.values.indices { field.values[node] *= scale }
    return field
  }
}
