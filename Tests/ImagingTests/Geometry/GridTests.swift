import Testing

@testable import Imaging

@Suite struct GridTests {
  @Test func voxelsAndPlacesInMemoryLeadToEachOther() {
    let grid = Grid(extents: SIMD3(3, 4, 5), affine: .identity)
    var index = 0
    for z in 0..<5 {
      for y in 0..<4 {
        for x in 0..<3 {
          #expect(grid.index(x, y, z) == index)
          #expect(grid.voxel(at: index) == SIMD3(x, y, z))
          index += 1
        }
      }
    }
  }
}
