import Foundation
import Imaging
import Testing

/// A header that puts a real scan in the wrong place is found out. Skipped without real scans or the head's
/// atlas.
@Suite(.enabled(if: Places.hasShared && Places.hasHead)) struct SegmentHeaderTests {
  @Test func wrongPlacesAndAngles() throws {
    let real = try RealScan(Places.shared + "/scans/OASIS_0009")
    let angle = 20 * Double.pi / 180
    let (c, s) = (cos(angle), sin(angle))
    let changes: [(String, Affine)] = [
      ("right", .identity),
      ("moved", Affine(rows: [[1, 0, 0, 35], [0, 1, 0, -35], [0, 0, 1, 35]])),
      ("turned", Affine(rows: [[1, 0, 0, 0], [0, c, -s, 0], [0, s, c, 0]])),
      ("tilted", Affine(rows: [[c, -s, 0, 0], [s, c, 0, 0], [0, 0, 1, 0]])),
    ]
    try Scratch.use { folder in
      try FileManager.default.createDirectory(
        atPath: folder + "/in", withIntermediateDirectories: true)
      for (name, change) in changes {
        let grid = Grid(extents: real.scan.grid.extents, affine: change * real.scan.grid.affine)
        try ImageWriter.write(
          scan: Volume(grid: grid, voxels: real.scan.voxels), like: nil,
          to: "\(folder)/in/\(name).nii", description: "test")
      }
      let result = try Program.run("segment", folder + "/in", "-o", folder + "/out")
      try #require(result.status == 0, "\(result.errors)")
      let scores = try changes.map { name, _ in
        try real.meanDice(try ImageReader.readLabels("\(folder)/out/\(name)_seg.nii.gz").volume)
      }
      #expect(scores[0] > 0.7)
      for (change, score) in zip(changes, scores) {
        #expect(abs(score - scores[0]) < 0.01, "\(change.0): \(score), not \(scores[0])")
      }
    }
  }

  @Test func anAxisNamedTheWrongWayRoundFails() throws {
    let real = try RealScan(Places.shared + "/scans/bert")
    let mirror = Affine(rows: [[1, 0, 0, 0], [0, -1, 0, 0], [0, 0, 1, 0]])
    let grid = Grid(extents: real.scan.grid.extents, affine: mirror * real.scan.grid.affine)
    try Scratch.use { folder in
      let scan = folder + "/scan.nii"
      try ImageWriter.write(
        scan: Volume(grid: grid, voxels: real.scan.voxels), like: nil, to: scan,
        description: "test")
      let result = try Program.run("segment", scan, "-o", folder + "/out.nii", "--qc-strict")
      #expect(result.status == 65)
      #expect(result.errors.contains("FAIL orientation"), "\(result.errors)")
    }
  }
}
