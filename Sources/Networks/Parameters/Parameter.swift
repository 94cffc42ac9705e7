/// A named array of weights: where it lies among all the weights of a network.
package struct Parameter: Hashable, Sendable {
  /// As PyTorch would name it: `encoder.0.0.weight`.
  package let name: String
  /// As PyTorch stores it: `[outputs, inputs, ...]`.
  package let shape: [Int]
  /// First element within the network's weights.
  package let offset: Int
  /// Half-width of the uniform distribution that the first values are drawn from.
  package let initialBound: Float

  /// Number of elements.
  package var count: Int { shape.reduce(1, *) }
}

/// The list of a network's parameters, filled while its layers are made.
package struct ParameterList: Sendable {
  package private(set) var parameters: [Parameter] = []
  /// Number of elements of all parameters.
  package private(set) var count = 0

  package init() {}

  /// Appends a parameter. First values are uniform within 1 / sqrt(`fanIn`), as PyTorch's are; nil
  /// for zeros.
  package mutating func add(_ name: String, _ shape: [Int], fanIn: Int?) -> Parameter {
    let parameter = Parameter(
      name: name, shape: shape, offset: count,
      initialBound: fanIn.map { 1 / Float(max($0, 1)).squareRoot() } ?? 0)
    parameters.append(parameter)
    count += parameter.count
    return parameter
  }
}

/// Values for every parameter of a list: the weights themselves, their gradients, or a moment of
/// these.
package struct ParameterValues: Sendable {
  package let list: ParameterList
  package let all: Tensor

  /// All zero. Throws `NetworkError.outOfMemory`.
  package init(_ list: ParameterList) throws {
    self.list = list
    self.all = try Tensor(count: list.count)
  }

  /// The values of one parameter, sharing memory.
  package subscript(parameter: Parameter) -> Tensor {
    all.slice(parameter.offset, count: parameter.count)
  }

  /// Draws first values: each parameter from a stream of its own, so that adding one changes no
  /// other.
  package func initialize(seed: UInt64) {
    for (index, parameter) in list.parameters.enumerated() {
      var random = Philox(seed: seed, stream: UInt64(index))
      for i in parameter.offset..<parameter.offset + parameter.count {
        all.pointer[i] = (2 * random.uniform() - 1) * parameter.initialBound
      }
    }
  }
}
