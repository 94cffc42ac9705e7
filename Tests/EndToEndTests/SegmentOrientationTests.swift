import Foundation
import Imaging
import Testing

/// The order in which a scan's voxels are stored changes nothing.
@Suite struct SegmentOrientationTests {
  /// Writes a scan in several orders, segments them as one folder, and compares all labels after bringing
  /// them back. Returns the labels in the scan's own order.
  private func check(
    _ scan: Volume<Float>, _ orientations: [Orientation], options: [String]
  ) throws -> Volume<Int32> {
    try Scratch.use { folder in
      try FileManager.default.createDirectory(
        atPath: folder + "/in", withIntermediateDirectories: true)
      let orders = orientations.map { VoxelOrder(from: scan.grid, to: $0) }
      for (order, orientation) in zip(orders, orientations) {
        try ImageWriter.write(
          scan: order.apply(scan), like: nil, to: "\(folder)/in/\(orientation.name).nii",
          description: "test")
      }
      let result = try Program.run(
        ["segment", folder + "/in", "-o", folder + "/out"] + options)
      try #require(result.status == 0, "\(result.errors)")
      var first: Volume<Int32>?
      for (order, orientation) in zip(orders, orientations) {
        let found = try ImageReader.readLabels("\(folder)/out/\(orientation.name)_seg.nii.gz")
        #expect(found.header.orientation == orientation)
        let labels = order.undo(Volume(grid: order.target, voxels: found.volume.voxels))
        if let first {
          #expect(labels.voxels == first.voxels, "\(orientation.name) differs")
        } else {
          first = labels
        }
      }
      return try #require(first)
    }
  }

  @Test func allOrdersGiveTheSameLabels() throws {
    let scan = TinyAtlas.scan()
    let labels = try check(scan, Orientation.all, options: ["--atlas", TinyAtlas.folder])
    let truth = TinyAtlas.labels(on: scan.grid)
    for label: Int32 in [1, 2] { #expect(TinyAtlas.dice(labels, truth, label) > 0.97) }
  }

  @Test(.enabled(if: Places.hasShared && Places.hasHead))
  func sixOrdersOfARealScan() throws {
    let real = try RealScan(Places.shared + "/scans/bert")
    let orientations = ["RAS", "LIA", "ASL", "PIR", "SRP", "ILA"].compactMap { Orientation($0) }
    let labels = try check(real.scan, orientations, options: [])
    #expect(try real.meanDice(labels) > 0.7)
  }
}
