import CKernels
import Testing

import Networks

extension NetworksTests {
  /// Fast layers against the plain ones, forward; gradients against finite differences of the plain
  /// ones.
  ///
  /// Single precision adds up to 1728 products here: 3e-6 relative to the largest value is a few
  /// units in the last place. Gradients of finite differences in double precision are as exact.
  @Suite struct ConvolutionTests {
    let tolerance = 1e-5

    @Test(arguments: [
      (3, 2, 1, Extents(4, 5, 6)), (16, 16, 1, Extents(4, 5, 6)), (16, 32, 2, Extents(6, 4, 8)),
      (20, 16, 1, Extents(5, 4, 30)), (3, 5, 2, Extents(5, 6, 7)), (32, 16, 2, Extents(5, 7, 33)),
      (16, 16, 2, Extents(1, 2, 1)), (16, 16, 1, Extents(2, 1, 1)),
    ])
    func convolution(inputs: Int, outputs: Int, stride: Int, extents: Extents) throws {
      for level in [2, 1, 0] {
        try check(
          ActivationShape(channels: inputs, extents: extents), outputs: outputs, stride: stride,
          level: level)
      }
    }

    /// What a layer can add to its products instead of a number a channel.
    static let kindsOfBias = [LayerBias.position(scale: 1), .position(scale: 0.2), .linear]

    @Test(arguments: [(20, 18, 1), (16, 20, 2)], kindsOfBias)
    func biases(_ sizes: (inputs: Int, outputs: Int, stride: Int), kind: LayerBias) throws {
      let input = ActivationShape(channels: sizes.inputs, extents: Extents(4, 5, 6))
      for level in [2, 1, 0] {
        try check(input, outputs: sizes.outputs, stride: sizes.stride, bias: kind, level: level)
      }
    }

    @Test(arguments: kindsOfBias) func biasesOfUpsampling(kind: LayerBias) throws {
      for level in [2, 1, 0] {
        try checkUpsampling(
          inputs: 16, outputs: 20, extents: Extents(3, 2, 4), bias: kind, level: level)
      }
    }

    /// A decoder whose last weights are zero begins as the location prior.
    @Test func linearLayersStartAtZero() throws {
      let kinds: [(kind: LayerBias, isZero: Bool)] = [
        (.linear, true), (.channel, false), (.position(scale: 1), false),
      ]
      for (kind, isZero) in kinds {
        var list = ParameterList()
        _ = try Convolution3D(
          "layer", input: ActivationShape(channels: 3, extents: Extents(2, 2, 2)), channels: 2,
          stride: 1, bias: kind, trains: false, parameters: &list)
        let values = try ParameterValues(list)
        values.initialize(seed: 1)
        #expect(values[list.parameters[0]].elements.allSatisfy { $0 == 0 } == isZero)
      }
    }

    private func check(
      _ input: ActivationShape, outputs: Int, stride: Int, bias kind: LayerBias = .channel,
      level: Int
    ) throws {
      defer { segpipe_limit_kernel_level(2) }
      segpipe_limit_kernel_level(Int32(level))
      let (inputs, extents) = (input.channels, input.extents)
      var list = ParameterList()
      let layer = try Convolution3D(
        "layer", input: input, channels: outputs, stride: stride, bias: kind, trains: true,
        parameters: &list)
      let (values, gradients) = (try ParameterValues(list), try ParameterValues(list))
      Self.fill(values)
      layer.update(from: values)
      let x = randomValues(input.plainCount, seed: 2)
      let dy = randomValues(layer.output.plainCount, seed: 3)

      let y = try Tensor(count: layer.output.count)
      let packed = try activation(x, input)
      layer.forward(packed, into: y)
      let (weight, bias) = (
        values[list.parameters[0]].elements.map(Double.init),
        values[list.parameters[1]].elements.map(Double.init)
      )
      func reference(_ x: [Double], _ weight: [Double], _ bias: [Double]) -> [Double] {
        let y = Reference.convolution(
          x, channels: inputs, extents: extents, weight: weight,
          bias: [Double](repeating: 0, count: outputs), stride: stride)
        return Reference.finish(y, layer.output, bias, kind)
      }
      let exact = x.map(Double.init)
      let expected = reference(exact, weight, bias)
      #expect(relativeError(try plain(y, layer.output), expected) < tolerance)

      let dx = try Tensor(count: input.count)
      layer.backward(
        x: packed, y: y, dy: try activation(dy, layer.output), dx: dx, gradients: gradients)
      func objective(_ y: [Double]) -> Double { zip(y, dy).map { $0 * Double($1) }.reduce(0, +) }
      try expectGradient(try plain(dx, input), at: exact) { objective(reference($0, weight, bias)) }
      try expectGradient(Array(gradients[list.parameters[0]].elements), at: weight) {
        objective(reference(exact, $0, bias))
      }
      try expectGradient(Array(gradients[list.parameters[1]].elements), at: bias) {
        objective(reference(exact, weight, $0))
      }
    }

    @Test(arguments: [
      (3, 2, Extents(3, 4, 2)), (16, 16, Extents(3, 4, 5)), (32, 16, Extents(2, 3, 4)),
      (64, 32, Extents(1, 2, 3)), (16, 16, Extents(1, 1, 17)),
    ])
    func upsampling(inputs: Int, outputs: Int, extents: Extents) throws {
      for level in [2, 1, 0] {
        try checkUpsampling(inputs: inputs, outputs: outputs, extents: extents, level: level)
      }
    }

    private func checkUpsampling(
      inputs: Int, outputs: Int, extents: Extents, bias kind: LayerBias = .channel, level: Int
    ) throws {
      defer { segpipe_limit_kernel_level(2) }
      segpipe_limit_kernel_level(Int32(level))
      let input = ActivationShape(channels: inputs, extents: extents)
      var list = ParameterList()
      let layer = try UpsampleConvolution3D(
        "layer", input: input, channels: outputs, bias: kind, trains: true, parameters: &list)
      let (values, gradients) = (try ParameterValues(list), try ParameterValues(list))
      Self.fill(values)
      layer.update(from: values)
      let x = randomValues(input.plainCount, seed: 2)
      let dy = randomValues(layer.output.plainCount, seed: 3)

      let y = try Tensor(count: layer.output.count)
      let packed = try activation(x, input)
      layer.forward(packed, into: y)
      let (weight, bias) = (
        values[list.parameters[0]].elements.map(Double.init),
        values[list.parameters[1]].elements.map(Double.init)
      )
      func reference(_ x: [Double], _ weight: [Double], _ bias: [Double]) -> [Double] {
        let y = Reference.convolution(
          Reference.upsample(x, channels: inputs, extents: extents), channels: inputs,
          extents: extents.doubled, weight: weight,
          bias: [Double](repeating: 0, count: outputs), stride: 1)
        return Reference.finish(y, layer.output, bias, kind)
      }
      let exact = x.map(Double.init)
      #expect(
        relativeError(try plain(y, layer.output), reference(exact, weight, bias)) < tolerance)

      let dx = try Tensor(count: input.count)
      let gradient = try activation(dy, layer.output)
      layer.activationBackward(y: y, dy: gradient, gradients: gradients)
      layer.linearBackward(x: packed, dy: gradient, dx: dx, gradients: gradients)
      func objective(_ y: [Double]) -> Double { zip(y, dy).map { $0 * Double($1) }.reduce(0, +) }
      try expectGradient(try plain(dx, input), at: exact) { objective(reference($0, weight, bias)) }
      try expectGradient(Array(gradients[list.parameters[0]].elements), at: weight) {
        objective(reference(exact, $0, bias))
      }
      try expectGradient(Array(gradients[list.parameters[1]].elements), at: bias) {
        objective(reference(exact, weight, $0))
      }
    }

    @Test(arguments: [
      (3, 2, Extents(4, 6, 8)), (32, 16, Extents(6, 5, 7)), (5, 20, Extents(4, 4, 34)),
    ])
    func labels(labels: Int, outputs: Int, extents: Extents) throws {
      var list = ParameterList()
      let layer = try LabelConvolution3D(
        "layer", extents: extents, labels: labels, channels: outputs, trains: true,
        parameters: &list)
      let (values, gradients) = (try ParameterValues(list), try ParameterValues(list))
      values.initialize(seed: 1)
      layer.update(from: values)
      var random = Philox(seed: 4)
      let volume = (0..<extents.count).map { _ in
        UInt8.random(in: 0..<UInt8(labels), using: &random)
      }
      let dy = randomValues(layer.output.plainCount, seed: 3)

      let y = try Tensor(count: layer.output.count)
      layer.forward(volume, into: y)
      let (weight, bias) = (
        values[list.parameters[0]].elements.map(Double.init),
        values[list.parameters[1]].elements.map(Double.init)
      )
      let hot = Reference.oneHot(volume, labels: labels)
      func reference(_ weight: [Double], _ bias: [Double]) -> [Double] {
        Reference.convolution(
          hot, channels: labels, extents: extents, weight: weight, bias: bias, stride: 2
        ).map(Reference.elu)
      }
      #expect(relativeError(try plain(y, layer.output), reference(weight, bias)) < tolerance)

      layer.backward(
        volume, y: y, dy: try activation(dy, layer.output), gradients: gradients)
      func objective(_ y: [Double]) -> Double { zip(y, dy).map { $0 * Double($1) }.reduce(0, +) }
      try expectGradient(Array(gradients[list.parameters[0]].elements), at: weight) {
        objective(reference($0, bias))
      }
      try expectGradient(Array(gradients[list.parameters[1]].elements), at: bias) {
        objective(reference(weight, $0))
      }
    }

    /// Values for all parameters, those that start at zero among them.
    private static func fill(_ values: ParameterValues) {
      values.initialize(seed: 1)
      for (index, parameter) in values.list.parameters.enumerated()
      where parameter.initialBound == 0 {
        values[parameter].assign(
          randomValues(parameter.count, seed: 7 + UInt64(index)).map { 0.2 * $0 })
      }
    }

    /// Compares a gradient with finite differences along up to 13 of its elements, which fall on
    /// different channels of a block.
    private func expectGradient(
      _ gradient: [Float], at point: [Double], _ function: ([Double]) -> Double
    ) throws {
      let elements = spread(13, over: point.count)
      let expected = finiteDifferences(at: point, elements: elements, function)
      #expect(relativeError(elements.map { gradient[$0] }, expected) < 1e-4)
    }
  }
}
