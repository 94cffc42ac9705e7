import Parallel

/// Exact Euclidean distances to a set of voxels, by lower envelopes of parabolas: Felzenszwalb and
/// Huttenlocher, "Distance Transforms of Sampled Functions", Theory of Computing 8 (2012).
///
/// Time grows with the number of voxels alone.
package enum DistanceTransform {
  /// Squared distances, in mm2, from the middle of every voxel to that of the nearest chosen one;
  /// infinite everywhere where none is chosen. Distances that are not exact in `Float` are rounded once
  /// for each axis.
  ///
  /// `chosen` holds `extents.x * extents.y * extents.z` values, the first axis fastest; `spacing` is the
  /// voxels' size along each axis, in mm.
  package static func squared(
    to chosen: [Bool], extents: SIMD3<Int>, spacing: SIMD3<Double>
  ) -> [Float] {
    precondition(
      chosen.count == extents.x * extents.y * extents.z,
      "\(chosen.count) values for \(extents) voxels")
    var distances = chosen.map { $0 ? 0 : Float.infinity }
    distances.withUnsafeMutableBufferPointer { buffer in
      nonisolated(unsafe) let distances = buffer
      let strides = SIMD3(1, extents.x, extents.x * extents.y)
      for axis in 0..<3 where extents[axis] > 1 {
        let (inner, outer) = axis == 0 ? (1, 2) : axis == 1 ? (0, 2) : (0, 1)
        let lines = extents[inner] * extents[outer]
        Parallel.forEachRange(of: lines, size: max(1, 65_536 / extents[axis])) { range in
          var envelope = Envelope(count: extents[axis], spacing: spacing[axis])
          for line in range {
            let start =
              line % extents[inner] * strides[inner] + line / extents[inner] * strides[outer]
            envelope.transform(distances, start: start, stride: strides[axis])
          }
        }
      }
    }
    return distances
  }

  /// One line's parabolas `(x - x_q)^2 + f_q`, and where each is the lowest.
  private struct Envelope {
    let count: Int
    let spacing: Double
    private var values: [Double]
    private var vertices: [Int]
    /// `starts[k]`: where parabola `vertices[k]` becomes the lowest, in mm.
    private var starts: [Double]

    init(count: Int, spacing: Double) {
      self.count = count
      self.spacing = spacing
      values = [Double](repeating: 0, count: count)
      vertices = [Int](repeating: 0, count: count)
      starts = [Double](repeating: 0, count: count)
    }

    mutating func transform(
      _ line: UnsafeMutableBufferPointer<Float>, start: Int, stride: Int
    ) {
      var parabolas = 0
      for q in 0..<count {
        let value = Double(line[start + q * stride])
        values[q] = value
        guard value.isFinite else { continue }
        let x = Double(q) * spacing
        var from = -Double.infinity
        while parabolas > 0 {
          let vertex = vertices[parabolas - 1]
          let other = Double(vertex) * spacing
          from = ((value + x * x) - (values[vertex] + other * other)) / (2 * (x - other))
          if from > starts[parabolas - 1] { break }
          parabolas -= 1
          from = -.infinity
        }
        vertices[parabolas] = q
        starts[parabolas] = from
        parabolas += 1
      }
      guard parabolas > 0 else { return }
      var lowest = 0
      for q in 0..<count {
        let x = Double(q) * spacing
        while lowest + 1 < parabolas, starts[lowest + 1] < x { lowest += 1 }
        let away = x - Double(vertices[lowest]) * spacing
        line[start + q * stride] = Float(away * away + values[vertices[lowest]])
      }
    }
  }
}
