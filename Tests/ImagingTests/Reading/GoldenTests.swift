import Foundation
import Testing

@testable import Imaging

/// Files that nibabel wrote, and what nibabel reads from them. `Fixtures/make.py` made both.
@Suite struct GoldenTests {
  private struct Expected: Decodable {
    let affine: [[Double]]
    let axes: String
    let values: [String: Float]
  }

  @Test func whatNibabelReads() throws {
    let table = try JSONDecoder().decode(
      [String: Expected].self,
      from: Data(contentsOf: URL(fileURLWithPath: Places.fixtures + "/expected.json")))
    #expect(table.count == 5)
    for (name, expected) in table {
      let image = try ImageReader.readScan("\(Places.fixtures)/\(name)")
      let grid = image.volume.grid
      #expect(image.header.orientation.name == expected.axes, "\(name)")
      for (row, other) in zip(grid.affine.rows, expected.affine) {
        // Single precision in the header.
        for (a, b) in zip(row, other) { #expect(abs(a - b) < 1e-5, "\(name)") }
      }
      for (voxel, value) in expected.values {
        let place = voxel.split(separator: ",").compactMap { Int($0) }
        #expect(image.volume[place[0], place[1], place[2]] == value, "\(name) \(voxel)")
      }
    }
  }
}
