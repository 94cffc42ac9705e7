/// The vectors of the kernels: 16 channels or labels lie side by side, rounded up to whole vectors.
@usableFromInline package enum Lanes {
  /// Numbers of a vector.
  @inlinable package static var count: Int { 16 }

  /// A number of channels, labels or groups, rounded up to whole vectors.
  @inlinable package static func padded(_ count: Int) -> Int {
    (count + Self.count - 1) / Self.count * Self.count
  }
}
