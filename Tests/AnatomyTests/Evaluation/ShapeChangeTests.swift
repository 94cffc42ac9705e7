import Anatomy
import Imaging
import Testing

/// Changes of anatomy that measurements are made on.
struct ShapeChangeTests {
  /// From left to right: 20 voxels of white matter, 4 of ventricle, 6 of putamen, which does not yield, 6 of cortex
  /// and 4 of fluid, alike in every row.
  private static let map: Volume<Int32> = {
    let row: [Int32] =
      [Int32](repeating: 2, count: 20) + [Int32](repeating: 4, count: 4)
      + [Int32](repeating: 12, count: 6) + [Int32](repeating: 3, count: 6)
      + [Int32](repeating: 24, count: 4)
    let grid = Fixture.grid(40, 12, 12)
    return Volume(grid: grid, voxels: (0..<144).flatMap { _ in row })
  }()

  private func counts(_ change: ShapeChange) -> [Int32: Int] {
    change.applied(to: Self.map).voxels.reduce(into: [:]) { $0[$1, default: 0] += 1 }
  }

  @Test func nothingIsChangedByNothing() {
    let change = ShapeChange(dilation: 0, thinning: 0, reshape: 0)
    #expect(change.applied(to: Self.map).voxels == Self.map.voxels)
  }

  @Test(arguments: [1, 4]) func ventriclesGrowIntoWhatYields(distance: Int) {
    let counts = counts(ShapeChange(dilation: Double(distance), thinning: 0, reshape: 0))
    #expect(
      counts == [
        2: (20 - distance) * 144, 4: (4 + distance) * 144, 12: 864, 3: 864, 24: 576,
      ])
  }

  @Test(arguments: [1, 2]) func cortexIsWornFromOutside(distance: Int) {
    let counts = counts(ShapeChange(dilation: 0, thinning: Double(distance), reshape: 0))
    #expect(
      counts == [
        2: 2880, 4: 576, 12: 864, 3: (6 - distance) * 144, 24: (4 + distance) * 144,
      ])
  }

  /// Behind its centre the head becomes longer: what is at a plane was nearer to the centre before.
  @Test func theHeadIsLengthened() {
    // The second axis points to the front.
    let grid = Fixture.grid(4, 80, 4)
    let planes = (0..<4).flatMap { _ in
      (0..<80).flatMap { y in [Int32](repeating: Int32(y), count: 4) }
    }
    let change = ShapeChange(dilation: 0, thinning: 0, reshape: 1)
    let after = change.applied(to: Volume(grid: grid, voxels: planes))
    let ends = (0..<80).map { Int(after.voxels[grid.index(2, $0, 2)]) }
    // 5 % of the 40 mm behind the centre.
    #expect(abs(ends[0] - 2) <= 1 && ends[79] == 79, "\(ends)")
  }
}
