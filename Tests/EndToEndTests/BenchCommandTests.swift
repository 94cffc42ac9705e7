import Foundation
import Testing

@Suite struct BenchCommandTests {
  @Test(arguments: ["prior-step", "decode"]) func printsEveryKey(what: String) throws {
    let result = try Program.run(
      "bench", what, "--grid", "32", "32", "64", "--labels", "4", "--steps", "1", "--threads", "2",
      "--json")
    #expect(result.status == 0)
    let report = try #require(
      try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
    for key in ["secondsPerStep", "peakGiB", "gigaflopsNeeded", "shareOfCeiling"] {
      #expect((report[key] as? Double ?? 0) > 0, "\(key)")
    }
    // 65 536 voxels of four labels, each within a few nats.
    let loss = report["firstLoss"] as? Double
    #expect(what == "decode" ? loss == nil : (10_000..<1_000_000).contains(loss ?? 0))
  }

  @Test func badInputIsNamed() throws {
    let missing = try Program.run("bench", "decode", "--grid", "32", "32", "32", "--from", "/none")
    #expect(missing.status == 66)
    #expect(missing.errors.contains("/none: cannot read: No such file or directory"))
    #expect(try Program.run("bench", "decode", "--grid", "32", "32", "33").status == 64)
  }
}
