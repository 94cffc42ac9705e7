import Foundation
import Testing

/// What a run costs in which everything is reused. Prints figures and judges none: run it by
///
///     SEGPIPE_OVERHEAD=1000 swift test -c release --filter OverheadTests
///
/// with the number of scans, which are all segmented first.
@Suite struct OverheadTests {
  private static let scans =
    ProcessInfo.processInfo.environment["SEGPIPE_OVERHEAD"].flatMap { Int($0) }

  @Test(.enabled(if: scans != nil, "SEGPIPE_OVERHEAD does not say how many scans"))
  func everythingReused() throws {
    try Scratch.use { folder in
      let study = try TinyStudy(folder, scans: 0)
      let first = study.path(of: 0)
      try study.write(0)
      for number in 1..<(Self.scans ?? 1) {
        try FileManager.default.copyItem(
          atPath: first, toPath: "\(folder)/scans/s\(10_000 + number).nii.gz")
      }
      func time(_ name: String, _ options: String...) throws -> Program.Result {
        let start = ContinuousClock.now
        let result = try Program.run(
          ["run", TinyStudy.definition, "--workspace", folder + "/w", "--progress", "none"]
            + study.settings + ["--set", "pictures=no"] + options)
        print("\(name), \(Self.scans ?? 0) scans: \(ContinuousClock.now - start)")
        return result
      }
      #expect(try time("segmented").status == 0)
      let again = try time("all reused")
      #expect(again.errors == "segment: \((Self.scans ?? 0) + 1) reused\n")
      let verified = try time("all reused, --verify", "--verify")
      #expect(verified.errors == again.errors)
    }
  }
}
