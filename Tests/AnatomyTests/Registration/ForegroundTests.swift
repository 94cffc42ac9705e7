import Imaging
import Testing

@testable import Anatomy

/// What is bright of a scan, and how far a search for a head in it goes.
@Suite struct ForegroundTests {
  /// A body of `height` mm in the middle of the field of view, 190 mm wide and deep.
  private func body(_ height: Double) -> Foreground {
    let grid = Fixture.grid(26, 26, 50, spacing: 12)
    let voxels = Fixture.voxels(of: grid).map { at -> Float in
      let place = grid.affine(SIMD3<Double>(at))
      let isBody = abs(place.x) < 95 && abs(place.y) < 95 && abs(place.z) < height / 2
      return isBody ? 100 : 1
    }
    return Foreground(
      of: Volume(grid: grid, voxels: voxels), scale: IntensityScale(low: 0, high: 120))
  }

  @Test func aHeadIsLookedForAroundItsMiddle() {
    let foreground = body(230)
    #expect(foreground.threshold > 2 && foreground.threshold < 50)
    #expect((0..<3).allSatisfy { abs(foreground.centre[$0]) < 1 })
    #expect(foreground.steps(axis: 0, atLeast: 20) == [-20, 0, 20])
    #expect(foreground.steps(axis: 1, atLeast: 30) == [-30, -10, 10, 30])
    #expect(foreground.steps(axis: 2, atLeast: 60) == Array(stride(from: -60, through: 60, by: 20)))
  }

  /// A head on shoulders and chest: its middle, 75 mm below its top, is within reach of a start.
  @Test func aHeadIsLookedForAtTheEndOfABody() {
    let steps = body(450).steps(axis: 2, atLeast: 60)
    let head = 450.0 / 2 - 75
    // Either end may be the upper one.
    for offset in [-head, head] {
      #expect(steps.contains { abs($0 - offset) <= 10 + 6 }, "\(steps)")
    }
    #expect(zip(steps, steps.dropFirst()).allSatisfy { $1 - $0 == 20 })
  }

  @Test func withoutForegroundTheMiddleIsTaken() {
    let grid = Fixture.grid(4, 4, 4)
    let empty = Foreground(
      of: Volume(grid: grid, voxels: [Float](repeating: 0, count: 64)),
      scale: IntensityScale(low: 0, high: 1))
    #expect(empty.centre == grid.centre)
    #expect(empty.steps(axis: 2, atLeast: 20) == [-20, 0, 20])
  }
}
