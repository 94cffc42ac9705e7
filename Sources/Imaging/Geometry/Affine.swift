/// A map between two three-dimensional spaces: `y = linear * x + translation`.
///
/// Between voxel indices (voxel centres at whole numbers) and world space (NIfTI RAS+ millimetres),
/// or between two world spaces. Columns are the images of the unit vectors, as in an sform's
/// columns.
package struct Affine: Equatable, Sendable {
  /// Images of the three unit vectors.
  package var columns: (SIMD3<Double>, SIMD3<Double>, SIMD3<Double>)
  /// Image of the origin.
  package var translation: SIMD3<Double>

  package init(
    columns: (SIMD3<Double>, SIMD3<Double>, SIMD3<Double>), translation: SIMD3<Double>
  ) {
    self.columns = columns
    self.translation = translation
  }

  /// From three rows of four numbers, the order of a NIfTI sform.
  package init(rows: [[Double]]) {
    columns = (
      SIMD3(rows[0][0], rows[1][0], rows[2][0]), SIMD3(rows[0][1], rows[1][1], rows[2][1]),
      SIMD3(rows[0][2], rows[1][2], rows[2][2])
    )
    translation = SIMD3(rows[0][3], rows[1][3], rows[2][3])
  }

  package static let identity = Affine(rows: [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]])

  package static func == (a: Affine, b: Affine) -> Bool {
    a.columns == b.columns && a.translation == b.translation
  }

  /// Three rows of four numbers.
  package var rows: [[Double]] {
    (0..<3).map { [columns.0[$0], columns.1[$0], columns.2[$0], translation[$0]] }
  }

  /// The image of a point.
  package func callAsFunction(_ point: SIMD3<Double>) -> SIMD3<Double> {
    linear(point) + translation
  }

  /// The image of a direction: without the translation.
  package func linear(_ direction: SIMD3<Double>) -> SIMD3<Double> {
    let along = columns.0 * direction.x + columns.1 * direction.y
    return along + columns.2 * direction.z
  }

  /// `(a * b)(x) == a(b(x))`.
  package static func * (a: Affine, b: Affine) -> Affine {
    Affine(
      columns: (a.linear(b.columns.0), a.linear(b.columns.1), a.linear(b.columns.2)),
      translation: a(b.translation))
  }

  /// Volume of the image of the unit cube, negative when the map mirrors.
  package var determinant: Double { (columns.0 * cross(columns.1, columns.2)).sum() }

  /// Lengths of the three columns: for a voxel-to-world map, the voxel's size in mm.
  package var columnNorms: SIMD3<Double> {
    SIMD3(norm(columns.0), norm(columns.1), norm(columns.2))
  }

  /// The map back. Only meaningful when `determinant` is not zero.
  package var inverse: Affine {
    let d = determinant
    let r0 = cross(columns.1, columns.2) / d
    let r1 = cross(columns.2, columns.0) / d
    let r2 = cross(columns.0, columns.1) / d
    let turned = Affine(
      columns: (
        SIMD3(r0.x, r1.x, r2.x), SIMD3(r0.y, r1.y, r2.y), SIMD3(r0.z, r1.z, r2.z)
      ), translation: .zero)
    return Affine(columns: turned.columns, translation: -turned.linear(translation))
  }

  /// The same map with each output coordinate multiplied by a factor.
  package func scaled(by factor: SIMD3<Double>) -> Affine {
    Affine(
      columns: (columns.0 * factor, columns.1 * factor, columns.2 * factor),
      translation: translation * factor)
  }

  /// The largest difference of two maps over the corners of a box of voxels, in output units.
  package func largestDifference(from other: Affine, over extents: SIMD3<Int>) -> Double {
    var largest = 0.0
    for corner in 0..<8 {
      let point = SIMD3<Double>(
        corner & 1 == 0 ? 0 : Double(extents.x - 1), corner & 2 == 0 ? 0 : Double(extents.y - 1),
        corner & 4 == 0 ? 0 : Double(extents.z - 1))
      largest = max(largest, norm(self(point) - other(point)))
    }
    return largest
  }
}

/// Euclidean length.
package func norm(_ v: SIMD3<Double>) -> Double { (v * v).sum().squareRoot() }

/// Vector product.
package func cross(_ a: SIMD3<Double>, _ b: SIMD3<Double>) -> SIMD3<Double> {
  SIMD3(a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x)
}
