/// Which world direction each voxel axis runs closest to, in letters such as `LIA`.
///
/// A letter names where the axis points: `L` runs from right to left, `S` from below upward.
package struct Orientation: Equatable, Sendable, Hashable {
  /// For each voxel axis, the world axis it runs along: 0 (left-right), 1 (back-front), 2
  /// (down-up).
  package let axes: [Int]
  /// For each voxel axis, whether it runs with the world axis (towards R, A or S) or against it.
  package let isPositive: [Bool]

  /// From three letters, one of each pair L/R, P/A, I/S; `nil` for anything else.
  package init?(_ name: String) {
    let letters = Array(name.uppercased())
    guard letters.count == 3 else { return nil }
    var axes: [Int] = []
    var isPositive: [Bool] = []
    for letter in letters {
      guard let place = Array("LPIRAS").firstIndex(of: letter) else { return nil }
      axes.append(place % 3)
      isPositive.append(place >= 3)
    }
    guard Set(axes).count == 3 else { return nil }
    self.axes = axes
    self.isPositive = isPositive
  }

  /// The orientation closest to an affine: of the six ways to pair voxel axes with world axes, the
  /// one whose direction cosines add up to most; the first in lexical order where several do.
  package init(closestTo affine: Affine) {
    let size = affine.columnNorms
    let cosines = [
      affine.columns.0 / size.x, affine.columns.1 / size.y, affine.columns.2 / size.z,
    ]
    let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]]
    var best = orders[0]
    var bestSum = -Double.infinity
    for order in orders {
      let sum = (0..<3).reduce(0.0) { $0 + abs(cosines[$1][order[$1]]) }
      // Oblique by 45 degrees: rounding must not decide.
      if sum > bestSum + 1e-9 { (best, bestSum) = (order, sum) }
    }
    axes = best
    isPositive = (0..<3).map { cosines[$0][best[$0]] >= 0 }
  }

  /// Right, anterior, superior: the axes of world space.
  package static let canonical = Orientation(axes: [0, 1, 2], isPositive: [true, true, true])

  private init(axes: [Int], isPositive: [Bool]) {
    self.axes = axes
    self.isPositive = isPositive
  }

  /// The three letters.
  package var name: String {
    String((0..<3).map { Array(isPositive[$0] ? "RAS" : "LPI")[axes[$0]] })
  }

  /// All 48.
  package static var all: [Orientation] {
    ["L", "R"].flatMap { x in ["P", "A"].flatMap { y in ["I", "S"].map { [x, y, $0] } } }
      .flatMap { letters in
        [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]].compactMap { order in
          Orientation(order.map { letters[$0] }.joined())
        }
      }
  }

  /// A grid of this orientation, unrotated, its centre at the world's origin.
  package func affine(spacing: SIMD3<Double>, extents: SIMD3<Int>) -> Affine {
    var columns = [SIMD3<Double>](repeating: .zero, count: 3)
    for axis in 0..<3 {
      columns[axis][axes[axis]] = isPositive[axis] ? spacing[axis] : -spacing[axis]
    }
    let turned = Affine(columns: (columns[0], columns[1], columns[2]), translation: .zero)
    let middle = (SIMD3<Double>(extents) - SIMD3(repeating: 1)) / 2
    return Affine(columns: turned.columns, translation: -turned.linear(middle))
  }
}
