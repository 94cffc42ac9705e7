import Imaging

/// For each direction of the body, the voxel axis closest to it: how to draw a volume of any orientation
/// the way people look at bodies.
struct AnatomicalAxes: Equatable {
  /// Voxel axis that runs closest to right, anterior and superior, in this order; each axis once.
  let axes: SIMD3<Int>
  /// For each of them, whether its indices grow to the left, the back or the bottom instead.
  let flipped: [Bool]

  init(of grid: Grid) {
    let orientation = Orientation(closestTo: grid.affine)
    var axes = SIMD3<Int>.zero
    for axis in 0..<3 { axes[orientation.axes[axis]] = axis }
    self.axes = axes
    flipped = (0..<3).map { !orientation.isPositive[axes[$0]] }
  }
}
