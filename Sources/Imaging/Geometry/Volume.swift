/// Values on a grid, the first axis fastest.
package struct Volume<Scalar: Sendable>: Sendable {
  package let grid: Grid
  /// `grid.count` values.
  package var voxels: [Scalar]

  package init(grid: Grid, voxels: [Scalar]) {
    precondition(
      voxels.count == grid.count,
      "\(voxels.count) values for a grid of \(grid.extents) voxels")
    self.grid = grid
    self.voxels = voxels
  }

  package init(grid: Grid, repeating value: Scalar) {
    self.init(grid: grid, voxels: [Scalar](repeating: value, count: grid.count))
  }

  package subscript(x: Int, y: Int, z: Int) -> Scalar {
    get { voxels[grid.index(x, y, z)] }
    set { voxels[grid.index(x, y, z)] = newValue }
  }
}

extension Volume: Equatable where Scalar: Equatable {}
