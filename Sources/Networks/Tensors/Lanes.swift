/// The vectors of the kernels: 16 channels or labels lie side by side, rounded up to whole vectors.
package enum Lanes {
  /// Numbers of a vector.
  package static let count = 16

  /// A number of channels, labels or groups, rounded up to whole vectors.
  package static func padded(_ count: Int) -> Int {
    (count + Self.count - 1) / Self.count * Self.count
  }
}
