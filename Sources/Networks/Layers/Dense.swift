import COpenBLAS
import Parallel

/// A fully connected layer.
///
/// Shapes: input `[I]`, weight `[O, I]`, bias `[O]`, output `[O]`.
///
///     y = weight x + bias
///     dx = weight^T dy,  dweight = dy x^T,  dbias = dy
///
/// OpenBLAS runs on one thread per tile of rows or columns; tiles are fixed, so that results do not
/// depend on the number of threads.
package final class Dense {
  package let inputs: Int
  package let outputs: Int
  private let weight: Parameter
  private let bias: Parameter
  private static let rows = 128
  private static let columns = 1024

  /// The parameters are called `name`.weight and `name`.bias.
  package init(_ name: String, inputs: Int, outputs: Int, parameters: inout ParameterList) {
    self.inputs = inputs
    self.outputs = outputs
    self.weight = parameters.add("\(name).weight", [outputs, inputs], fanIn: inputs)
    self.bias = parameters.add("\(name).bias", [outputs], fanIn: inputs)
    OpenBLAS.onOneThread
  }

  /// x to y.
  package func forward(_ x: Tensor, into y: Tensor, values: ParameterValues) {
    let matrix = values[weight]
    y.assign(values[bias].elements)
    Parallel.forEachRange(of: outputs, size: Self.rows) { [inputs] range in
      cblas_sgemv(
        CblasRowMajor, CblasNoTrans, blasint(range.count), blasint(inputs), 1,
        matrix.pointer + range.lowerBound * inputs, blasint(inputs), x.pointer, 1, 1,
        y.pointer + range.lowerBound, 1)
    }
  }

  /// dy to dx and the weights' gradients. The latter are added to, and so is dx if `addsToInput`.
  package func backward(
    x: Tensor, dy: Tensor, dx: Tensor, addsToInput: Bool = false, values: ParameterValues,
    gradients: ParameterValues?
  ) {
    let matrix = values[weight]
    Parallel.forEachRange(of: inputs, size: Self.columns) { [inputs, outputs] range in
      cblas_sgemv(
        CblasRowMajor, CblasTrans, blasint(outputs), blasint(range.count), 1,
        matrix.pointer + range.lowerBound, blasint(inputs), dy.pointer, 1, addsToInput ? 1 : 0,
        dx.pointer + range.lowerBound, 1)
    }
    guard let gradients else { return }
    let matrixGradient = gradients[weight]
    Parallel.forEachRange(of: outputs, size: Self.rows) { [inputs] range in
      cblas_sger(
        CblasRowMajor, blasint(range.count), blasint(inputs), 1, dy.pointer + range.lowerBound, 1,
        x.pointer, 1, matrixGradient.pointer + range.lowerBound * inputs, blasint(inputs))
    }
    gradients[bias].add(dy)
  }
}
