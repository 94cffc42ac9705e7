import Parallel
import Testing

import Networks

extension NetworksTests {
  @Suite struct DenseTests {
    /// The products are linear, so plain sums in double precision are the oracle of values and
    /// gradients alike.
    @Test func matchesPlainProducts() throws {
      let (inputs, outputs) = (1500, 300)
      var list = ParameterList()
      let layer = Dense("layer", inputs: inputs, outputs: outputs, parameters: &list)
      let (values, gradients) = (try ParameterValues(list), try ParameterValues(list))
      values.initialize(seed: 1)
      let (x, dy) = (randomValues(inputs, seed: 2), randomValues(outputs, seed: 3))
      let w = values[list.parameters[0]].elements.map(Double.init)
      let b = values[list.parameters[1]].elements.map(Double.init)

      let y = try Tensor(count: outputs)
      let dx = try Tensor(count: inputs)
      layer.forward(try tensor(x), into: y, values: values)
      layer.backward(
        x: try tensor(x), dy: try tensor(dy), dx: dx, values: values, gradients: gradients)
      let expected = (0..<outputs).map { o in
        b[o] + (0..<inputs).map { w[o * inputs + $0] * Double(x[$0]) }.reduce(0, +)
      }
      #expect(relativeError(Array(y.elements), expected) < 1e-5)
      let back = (0..<inputs).map { i in
        (0..<outputs).map { w[$0 * inputs + i] * Double(dy[$0]) }.reduce(0, +)
      }
      #expect(relativeError(Array(dx.elements), back) < 1e-5)
      let outer = dy.flatMap { g in x.map { Double(g) * Double($0) } }
      #expect(relativeError(Array(gradients[list.parameters[0]].elements), outer) < 1e-6)
      #expect(Array(gradients[list.parameters[1]].elements) == dy)

      // Added to, not overwritten.
      layer.backward(
        x: try tensor(x), dy: try tensor(dy), dx: dx, addsToInput: true, values: values,
        gradients: gradients)
      #expect(relativeError(Array(dx.elements), back.map { 2 * $0 }) < 1e-5)
      #expect(Array(gradients[list.parameters[1]].elements) == dy.map { 2 * $0 })
    }

    @Test func sameBytesForAnyNumberOfThreads() throws {
      let before = Parallel.threads
      defer { Parallel.threads = before }
      var list = ParameterList()
      let layer = Dense("layer", inputs: 5000, outputs: 700, parameters: &list)
      let values = try ParameterValues(list)
      values.initialize(seed: 1)
      let x = try tensor(randomValues(5000, seed: 2))
      let results = try [1, 2, 3].map { threads in
        Parallel.threads = threads
        let y = try Tensor(count: 700)
        layer.forward(x, into: y, values: values)
        return y.elements.map(\.bitPattern)
      }
      #expect(results[0] == results[1] && results[0] == results[2])
    }
  }
}
