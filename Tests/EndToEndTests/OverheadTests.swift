import Anatomy
import Foundation
import Imaging
import Testing

/// What a run costs in which everything is reused. Prints figures and judges none: run it by
///
///     SEGPIPE_OVERHEAD=1000 swift test -c release --filter OverheadTests
///
/// with the number of scans. They are all segmented first, which takes most of the time, a third of a
/// second each: they have few voxels and their intensities are fitted without warp and bias, because
/// neither plays a part in what is measured.
@Suite struct OverheadTests {
  private static let scans =
    ProcessInfo.processInfo.environment["SEGPIPE_OVERHEAD"].flatMap { Int($0) }

  /// 24x20x22 voxels of 6 mm.
  private static let grid = Grid(
    extents: SIMD3(24, 20, 22),
    affine: Orientation.canonical.affine(
      spacing: SIMD3(repeating: 6), extents: SIMD3(24, 20, 22)))

  private static func makeStudy(_ folder: String, scans: Int) throws -> String {
    try FileManager.default.createDirectory(
      atPath: folder + "/scans", withIntermediateDirectories: true)
    let first = "\(folder)/scans/s10000.nii.gz"
    try ImageWriter.write(
      scan: TinyAtlas.scan(on: grid), like: nil, to: first, description: "test")
    for number in 1..<scans {
      try FileManager.default.copyItem(
        atPath: first, toPath: "\(folder)/scans/s\(10_000 + number).nii.gz")
    }
    let definition = folder + "/study.yaml"
    try """
    stages:
      segment:
        kind: segment
        scans: scans
        atlas: \(TinyAtlas.folder)
        warp: no
        bias: no
        stripped: yes
        pictures: no
    """.write(toFile: definition, atomically: true, encoding: .utf8)
    return definition
  }

  @Test(.enabled(if: scans != nil, "SEGPIPE_OVERHEAD does not say how many scans"))
  func everythingReused() throws {
    let scans = max(1, Self.scans ?? 1)
    try Scratch.use { folder in
      let definition = try Self.makeStudy(folder, scans: scans)
      func time(_ name: String, _ options: String...) throws -> Program.Result {
        let start = ContinuousClock.now
        let result = try Program.run(
          ["run", definition, "--workspace", folder + "/w", "--progress", "none"] + options)
        print("\(name), \(scans) scans: \(ContinuousClock.now - start)")
        return result
      }
      #expect(try time("segmented").status == 0)
      let again = try time("all reused")
      #expect(again.errors == "segment: \(scans) reused\nsegment summary: 1 reused\n")
      let verified = try time("all reused, --verify", "--verify")
      #expect(verified.errors == again.errors)
    }
  }
}
