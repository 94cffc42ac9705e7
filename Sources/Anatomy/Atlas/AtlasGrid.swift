import Imaging

/// Which grid an atlas has.
package enum AtlasGrid {
  /// Extents that were not asked for are multiples of this, so that a prior can be trained on the grid.
  private static let multiple = 16
  /// What an atlas may have along each axis, voxels.
  package static let sizes = 8...1024
  /// Around what is labelled in maps that reach beyond the first one's grid, mm.
  private static let margin = 8.0
  /// Voxels that a map may reach beyond it without making the grid larger.
  private static let tolerance = 1.0

  /// A label map as far as the grid is concerned.
  struct Extent {
    let grid: Grid
    /// Voxels that hold labels, first and last along each axis.
    let labelled: [ClosedRange<Int>]
    /// World mm to atlas world mm.
    let affine: Affine
  }

  /// The box that the first map's grid covers, or a larger one where others hold labels beyond it, in voxels of the
  /// median size over the maps.
  static func covering(_ maps: [Extent]) -> Grid? {
    guard let first = maps.first?.grid else { return nil }
    let toFirst = first.affine.inverse
    let ends = SIMD3<Double>(first.extents) - SIMD3(repeating: 0.5)
    var (low, high) = (SIMD3(repeating: -0.5), ends)
    for map in maps {
      let toVoxels = toFirst * map.affine * map.grid.affine
      for corner in 0..<8 {
        let place = SIMD3<Double>(
          (0..<3).map { axis in
            let range = map.labelled[axis]
            return corner >> axis & 1 == 0
              ? Double(range.lowerBound) - 0.5 : Double(range.upperBound) + 0.5
          })
        low = pointwiseMin(low, toVoxels(place))
        high = pointwiseMax(high, toVoxels(place))
      }
    }
    let margin = SIMD3(repeating: Self.margin) / first.spacing
    low.replace(with: SIMD3(repeating: -0.5), where: low .> -0.5 - tolerance)
    high.replace(with: ends, where: high .< ends + tolerance)
    low.replace(with: low - margin, where: low .< -0.5)
    high.replace(with: high + margin, where: high .> ends)

    let spacing = SIMD3<Double>(
      (0..<3).map { axis in
        let along = maps.map { voxelSize(of: $0, along: first.affine.column(axis)) }.sorted()
        return along[along.count / 2]
      })
    return grid(
      extents(covering: (high - low) * first.spacing, spacing), spacing, axesOf: first,
      centre: first.affine((low + high) / 2))
  }

  /// A map's voxel size along the axis of its own that is closest to a direction once it lies in the atlas, mm.
  private static func voxelSize(of map: Extent, along direction: SIMD3<Double>) -> Double {
    let placed = map.affine * map.grid.affine
    let own = (0..<3).map { axis in
      let column = placed.column(axis)
      return (along: abs((column * direction).sum()) / norm(column), size: map.grid.spacing[axis])
    }
    return own.max { $0.along < $1.along }?.size ?? 1
  }

  /// The grid asked for, with the centre and axes of another. Extents that are not given cover the same box.
  ///
  /// - Throws: `AnatomyError.badGrid` for fewer or more voxels than an atlas may have.
  static func grid(extents: SIMD3<Int>?, spacing: Double?, around base: Grid) throws -> Grid {
    let own = base.spacing
    let step = spacing.map { SIMD3(repeating: $0) } ?? own
    var size = extents ?? self.extents(covering: SIMD3<Double>(base.extents) * own, step)
    guard (0..<3).allSatisfy({ sizes.contains(size[$0]) }) else {
      throw AnatomyError.badGrid(extents: size, expected: sizes)
    }
    if extents == nil {
      size =
        (size &+ SIMD3(repeating: multiple - 1)) / SIMD3(repeating: multiple)
        &* SIMD3(repeating: multiple)
    }
    return grid(size, step, axesOf: base, centre: base.centre)
  }

  /// Voxels of `spacing` that cover `size` mm. Rounding errors must not add a voxel.
  private static func extents(
    covering size: SIMD3<Double>, _ spacing: SIMD3<Double>
  ) -> SIMD3<Int> {
    SIMD3<Int>((size / spacing - 1e-6).rounded(.up))
  }

  private static func grid(
    _ extents: SIMD3<Int>, _ spacing: SIMD3<Double>, axesOf base: Grid, centre: SIMD3<Double>
  ) -> Grid {
    let (columns, own) = (base.affine.columns, base.spacing)
    let axes = (
      columns.0 / own.x * spacing.x, columns.1 / own.y * spacing.y, columns.2 / own.z * spacing.z
    )
    let turned = Affine(columns: axes, translation: .zero)
    let middle = (SIMD3<Double>(extents) - SIMD3(repeating: 1)) / 2
    return Grid(
      extents: extents, affine: Affine(columns: axes, translation: centre - turned.linear(middle)))
  }
}

extension Affine {
  fileprivate func column(_ axis: Int) -> SIMD3<Double> { [columns.0, columns.1, columns.2][axis] }
}
