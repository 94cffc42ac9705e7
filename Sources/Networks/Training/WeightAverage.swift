/// The mean of a network's weights over the steps of its training, from some step on (stochastic weight averaging:
/// Izmailov et al., Averaging Weights Leads to Wider Optima and Better Generalization, UAI 2018).
package struct WeightAverage {
  package let values: ParameterValues
  /// Steps that the mean is over.
  package internal(set) var count = 0

  /// Of nothing yet. Throws `NetworkError.outOfMemory`.
  package init(_ list: ParameterList) throws { values = try ParameterValues(list) }

  /// Adds the weights after one more step.
  package mutating func add(_ weights: ParameterValues) {
    count += 1
    let (mean, new, share) = (values.all.pointer, weights.all.pointer, 1 / Float(count))
    for i in 0..<values.all.count { mean[i] += share * (new[i] - mean[i]) }
  }
}
