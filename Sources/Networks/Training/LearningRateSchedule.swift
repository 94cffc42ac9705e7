import Foundation

/// The learning rate of every step: rising linearly, then falling along half a cosine.
package struct LearningRateSchedule: Hashable, Sendable, Codable {
  /// Highest rate.
  package let peak: Double
  /// Steps of the linear rise; step 0 already moves.
  package let warmup: Int
  /// Steps after which the rate has fallen to `last`; nil keeps it at its peak.
  package let total: Int?
  /// Rate at and after step `total`.
  package let last: Double

  package init(peak: Double, warmup: Int = 0, total: Int? = nil, last: Double = 0) {
    self.peak = peak
    self.warmup = warmup
    self.total = total
    self.last = last
  }

  /// The rate of step `step`, counted from 0.
  package func rate(_ step: Int) -> Double {
    if step < warmup { return peak * Double(step + 1) / Double(warmup) }
    guard let total else { return peak }
    guard step < total else { return last }
    let progress = Double(step - warmup) / Double(total - warmup)
    return last + (peak - last) * 0.5 * (1 + cos(.pi * progress))
  }
}
