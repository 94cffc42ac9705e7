import Foundation

import Networks

/// The layers written plainly, in double precision: the oracles of the fast ones.
enum Reference {
  static func elu(_ x: Double) -> Double { x > 0 ? x : expm1(x) }

  /// x `[C, extents]`, weight `[O, C, 3, 3, 3]`: 3x3x3 convolution with one voxel of zeros around.
  static func convolution(
    _ x: [Double], channels: Int, extents: Extents, weight: [Double], bias: [Double], stride: Int
  ) -> [Double] {
    let out = stride == 2 ? extents.halved : extents
    var y: [Double] = []
    for o in bias.indices {
      for z in 0..<out.depth {
        for h in 0..<out.height {
          for w in 0..<out.width {
            var sum = bias[o]
            for c in 0..<channels {
              for t in 0..<27 {
                let (iz, iy, ix) = (
                  stride * z + t / 9 - 1, stride * h + t / 3 % 3 - 1, stride * w + t % 3 - 1
                )
                guard (0..<extents.depth).contains(iz), (0..<extents.height).contains(iy),
                  (0..<extents.width).contains(ix)
                else { continue }
                let voxel = (iz * extents.height + iy) * extents.width + ix
                sum += weight[(o * channels + c) * 27 + t] * x[c * extents.count + voxel]
              }
            }
            y.append(sum)
          }
        }
      }
    }
    return y
  }

  /// Bias and what follows: y `[O, extents]` before them, bias as `ConvolutionBias` has it.
  static func finish(
    _ y: [Double], _ shape: ActivationShape, _ bias: [Double], _ kind: LayerBias
  ) -> [Double] {
    let voxels = shape.extents.count
    return y.indices.map { i in
      let (channel, voxel) = (i / voxels, i % voxels)
      switch kind {
      case .channel: return elu(y[i] + bias[channel])
      case .linear: return y[i] + bias[channel]
      case .position(let scale):
        let place = (channel / 16 * voxels + voxel) * 16 + channel % 16
        return elu(y[i] + Double(scale) * bias[place])
      }
    }
  }

  /// x `[C, extents]`: each voxel repeated twice along each axis.
  static func upsample(_ x: [Double], channels: Int, extents: Extents) -> [Double] {
    var y: [Double] = []
    for c in 0..<channels {
      for z in 0..<2 * extents.depth {
        for h in 0..<2 * extents.height {
          for w in 0..<2 * extents.width {
            y.append(
              x[((c * extents.depth + z / 2) * extents.height + h / 2) * extents.width + w / 2])
          }
        }
      }
    }
    return y
  }

  /// labels to `[K, voxels]`, ones and zeros.
  static func oneHot(_ labels: [UInt8], labels count: Int) -> [Double] {
    (0..<count).flatMap { k in labels.map { Int($0) == k ? 1 : 0 } }
  }
}

/// Random numbers for tests: uniform in -1...1.
func randomValues(_ count: Int, seed: UInt64) -> [Float] {
  var random = Philox(seed: seed)
  return (0..<count).map { _ in 2 * random.uniform() - 1 }
}

func tensor(_ values: [Float]) throws -> Tensor {
  let tensor = try Tensor(count: values.count)
  tensor.assign(values)
  return tensor
}

/// An activation in its blocked layout, from plain values.
func activation(_ values: [Float], _ shape: ActivationShape) throws -> Tensor {
  let blocked = try Tensor(count: shape.count)
  shape.pack(try tensor(values), into: blocked)
  return blocked
}

/// The plain values of an activation.
func plain(_ activation: Tensor, _ shape: ActivationShape) throws -> [Float] {
  let values = try Tensor(count: shape.plainCount)
  shape.unpack(activation, into: values)
  return Array(values.elements)
}

/// Largest difference over the largest magnitude of the expected values.
func relativeError(_ found: [Float], _ expected: [Double]) -> Double {
  let scale = expected.map(abs).max() ?? 0
  let difference = zip(found, expected).map { abs(Double($0) - $1) }.max() ?? 0
  return found.count == expected.count ? difference / max(scale, 1e-30) : .infinity
}

/// Central differences of `function` at `point` along the given elements, in double precision: the
/// reference functions are smooth but for ELU's bend, and a step of 1e-5 leaves an error near 1e-9.
func finiteDifferences(
  at point: [Double], elements: [Int], step: Double = 1e-5, _ function: ([Double]) -> Double
) -> [Double] {
  elements.map { element in
    var (above, below) = (point, point)
    above[element] += step
    below[element] -= step
    return (function(above) - function(below)) / (2 * step)
  }
}

/// `count` different elements spread over `0..<total`.
func spread(_ count: Int, over total: Int) -> [Int] {
  count >= total ? Array(0..<total) : (0..<count).map { $0 * total / count }
}
