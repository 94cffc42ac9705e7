import Imaging
import Networks
import Parallel

extension Displacement {
  /// Adds a smooth random field: cubic B-splines on control points `controls` mm apart, whose
  /// values are normal along each axis, so that the field has the given standard deviation, mm.
  ///
  /// With deviation s and distance h the field's derivatives have the deviation 1.2 s / h.
  mutating func addSpline(
    over grid: Grid, controls: Double, deviation: Double, _ random: inout Philox
  ) {
    let size = SIMD3<Double>(nodes &- SIMD3(repeating: 1)) * Double(spacing)
    // Each interval between controls needs one on either side beyond its own two.
    var extents = SIMD3<Int>((size / controls).rounded(.up)) &+ SIMD3(repeating: 3)
    // The sum of squared weights is 151/315 along an axis, averaged over an interval.
    let scale = Float(deviation / (0.4794 * 0.4794 * 0.4794).squareRoot())
    var field = (0..<extents.x * extents.y * extents.z).map { _ in
      SIMD4(random.clippedNormal(), random.clippedNormal(), random.clippedNormal(), 0) * scale
    }
    for axis in 0..<3 {
      field = Self.refined(
        field, extents, axis, to: nodes[axis], step: Float(Double(spacing) / controls))
      extents[axis] = nodes[axis]
    }
    for i in values.indices { values[i] += field[i] }
  }

  /// Control values along one axis become values at `count` nodes, `step` controls apart.
  private static func refined(
    _ field: [SIMD4<Float>], _ extents: SIMD3<Int>, _ axis: Int, to count: Int, step: Float
  ) -> [SIMD4<Float>] {
    let inner = axis == 0 ? 1 : axis == 1 ? extents.x : extents.x * extents.y
    let outer = field.count / (inner * extents[axis])
    var result = [SIMD4<Float>](repeating: .zero, count: outer * count * inner)
    for node in 0..<count {
      let t = Float(node) * step
      let first = min(Int(t), extents[axis] - 4)
      let w = cubicWeights(t - Float(first))
      for o in 0..<outer {
        let from = (o * extents[axis] + first) * inner
        let to = (o * count + node) * inner
        for i in 0..<inner {
          let near = field[from + i] * w[0] + field[from + inner + i] * w[1]
          let far = field[from + 2 * inner + i] * w[2] + field[from + 3 * inner + i] * w[3]
          result[to + i] = near + far
        }
      }
    }
    return result
  }

  /// Weights of the four controls around a position between the second and the third, 0...1.
  private static func cubicWeights(_ f: Float) -> SIMD4<Float> {
    let g = 1 - f
    return SIMD4(
      g * g * g, 4 - 6 * f * f + 3 * f * f * f, 4 - 6 * g * g + 3 * g * g * g, f * f * f) / 6
  }

  /// Adds to each position what an affine of positions (mm along the atlas's axes) does to it.
  mutating func addAffine(_ affine: Affine) {
    var node = 0
    for z in 0..<nodes.z {
      for y in 0..<nodes.y {
        for x in 0..<nodes.x {
          let at = SIMD3(Double(x), Double(y), Double(z)) * Double(spacing)
          values[node] += SIMD4(SIMD3<Float>(affine(at) - at), 0)
          node += 1
        }
      }
    }
  }
}
