import Anatomy
import Foundation
import Testing

@Suite struct DemoCommandTests {
  /// Whether the built-in atlas lies beside the program under test.
  static var hasAtlas: Bool {
    guard let program = try? Program.path(),
      let folder = try? AtlasLocator(environment: [:], executable: program).folder(of: "head"),
      let names = try? FileManager.default.contentsOfDirectory(atPath: folder)
    else { return false }
    return names.contains { $0.hasSuffix("_description.json") }
  }

  @Test(.enabled(if: hasAtlas)) func aHeadIsDrawnSegmentedAndScored() throws {
    try Scratch.use { folder in
      let result = try Program.run("demo", "-o", folder + "/demo", "-q")
      #expect(result.status == 0, "\(result.errors)")
      #expect(result.output.contains("this figure is circular"))
      let dice = result.output.split(separator: "\n")[0].split(separator: " ").last
        .flatMap { Double($0) }
      #expect((dice ?? 0) > 0.85)
      let names = try FileManager.default.contentsOfDirectory(atPath: folder + "/demo")
      #expect(names.sorted() == ["scan.nii.gz", "seg.nii.gz", "seg.png", "truth.nii.gz"])
    }
  }

  @Test func withoutAnAtlasItSaysSo() throws {
    try Scratch.use { folder in
      let result = try Program.run(
        "demo", "-o", folder + "/demo", environment: ["SEGPIPE_ATLASES": folder + "/none"])
      #expect(result.status == 66)
      #expect(result.errors.contains("the built-in atlas 'head' was not found"))
    }
  }
}
