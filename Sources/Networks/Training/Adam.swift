import CKernels
import Foundation
import Parallel

/// Adam (Kingma and Ba, arXiv 1412.6980), with the gradient's global norm clipped first.
///
///     m = beta1 m + (1 - beta1) g,   v = beta2 v + (1 - beta2) g^2
///     w = w - rate (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon)
package struct Adam: Sendable {
  package struct Settings: Hashable, Sendable, Codable {
    package var beta1 = 0.9
    package var beta2 = 0.999
    package var epsilon = 1e-8
    /// Gradients of a larger global norm are scaled down to it; infinity never clips.
    package var largestNorm = Double.infinity

    package init() {}
  }

  package let settings: Settings
  /// Number of steps taken, t.
  package private(set) var steps = 0
  /// m and v.
  package let first: ParameterValues
  package let second: ParameterValues
  private static let tile = 1 << 16

  /// Throws `NetworkError.outOfMemory`.
  package init(_ list: ParameterList, settings: Settings = Settings()) throws {
    self.settings = settings
    self.first = try ParameterValues(list)
    self.second = try ParameterValues(list)
  }

  /// Takes up after `steps` steps; the moments are set by the caller.
  package mutating func resume(after steps: Int) { self.steps = steps }

  /// One step; returns the gradient's norm before clipping. A norm that is not finite changes
  /// nothing.
  @discardableResult
  package mutating func step(
    _ weights: ParameterValues, gradients: ParameterValues, rate: Double
  ) -> Double {
    let norm = Self.norm(gradients)
    guard norm.isFinite else { return norm }
    steps += 1
    let t = Double(steps)
    let kernel = segpipe_adam(
      rate: Float(rate / (1 - pow(settings.beta1, t))), beta1: Float(settings.beta1),
      beta2: Float(settings.beta2), root: Float(1 / (1 - pow(settings.beta2, t)).squareRoot()),
      epsilon: Float(settings.epsilon),
      scale: norm > settings.largestNorm ? Float(settings.largestNorm / norm) : 1)
    let (w, g, m, v) = (weights.all, gradients.all, first.all, second.all)
    Parallel.forEachRange(of: w.count, size: Self.tile) { range in
      var kernel = kernel
      let start = range.lowerBound
      segpipe_adam_step(
        &kernel, w.pointer + start, g.pointer + start, m.pointer + start, v.pointer + start,
        range.count)
    }
    return norm
  }

  /// Square root of the sum of squares of all gradients, the same for any number of threads.
  package static func norm(_ gradients: ParameterValues) -> Double {
    let all = gradients.all
    let sums = Parallel.map((all.count + tile - 1) / tile) { index in
      segpipe_sum_of_squares(all.pointer + index * tile, min(tile, all.count - index * tile))
    }
    return sums.reduce(0, +).squareRoot()
  }
}
