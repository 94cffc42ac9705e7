import Imaging

/// For each direction of the body, the voxel axis closest to it: how to draw a volume of any orientation
/// the way people look at bodies.
struct AnatomicalAxes: Equatable {
  /// Voxel axis that runs closest to right, anterior and superior, in this order; each axis once.
  let axes: SIMD3<Int>
  /// For each of them, whether its indices grow to the left, the back or the bottom instead.
  let flipped: [Bool]

  init(of grid: Grid) {
    let columns = [grid.affine.columns.0, grid.affine.columns.1, grid.affine.columns.2]
    let norms = columns.map { max(norm($0), .leastNormalMagnitude) }
    let orders: [SIMD3<Int>] = [
      SIMD3(0, 1, 2), SIMD3(0, 2, 1), SIMD3(1, 0, 2), SIMD3(1, 2, 0), SIMD3(2, 0, 1),
      SIMD3(2, 1, 0),
    ]
    func agreement(_ order: SIMD3<Int>) -> Double {
      (0..<3).reduce(0) { $0 + abs(columns[order[$1]][$1]) / norms[order[$1]] }
    }
    // The first of equals, so that the choice never depends on rounding in `max`.
    var best = orders[0]
    for order in orders.dropFirst() where agreement(order) > agreement(best) + 1e-9 { best = order }
    axes = best
    flipped = (0..<3).map { columns[best[$0]][$0] < 0 }
  }
}
