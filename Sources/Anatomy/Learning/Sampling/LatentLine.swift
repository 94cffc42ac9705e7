import Networks

/// Points at equal steps along the straight line between the means of two latents.
package struct LatentLine: Sendable {
  /// The first is the mean of the one end, the last that of the other.
  package let points: [[Float]]

  /// `count` is at least 2; both ends have as many dimensions.
  package init(_ first: GaussianLatent, _ last: GaussianLatent, count: Int) {
    precondition(
      count > 1 && first.mean.count == last.mean.count,
      "\(count) points from \(first.mean.count) to \(last.mean.count) dimensions")
    points = (0..<count).map { step in
      let share = Float(step) / Float(count - 1)
      return zip(first.mean, last.mean).map { (1 - share) * $0 + share * $1 }
    }
  }
}
