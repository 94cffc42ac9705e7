import Anatomy
import Testing

@testable import Reports

@Suite struct MapsReportTests {
  private func map(
    _ name: String, rms: Double = 2, clipped: Double = 0.1, absent: [String] = ["Vessel"]
  ) -> AtlasBuilder.MapReport {
    AtlasBuilder.MapReport(
      path: "maps/\(name).nii.gz", absent: absent, rms: rms, clipped: clipped, cutFaces: 1)
  }

  @Test func mapsAreRowsOfATable() {
    let report = MapsReport([map("a"), map("b", absent: [])], isHead: true)
    #expect(report.rows[1] == ["a", "2.000", "0.1000", "1", "Vessel"])
    #expect(report.rows[2][4] == nil)
    #expect(
      report.text == """
        map  fit_rms_mm  clipped_share  cut_faces  absent
        a         2.000         0.1000          1  Vessel
        b         2.000         0.1000          1  -
        """)
  }

  @Test func whatLooksWrongIsWarnedAbout() {
    let report = MapsReport(
      [
        map("a"), map("b", rms: 7), map("c"), map("d", clipped: 0.6),
        map("e", absent: ["Vessel", "Eye"]),
      ], isHead: true)
    #expect(
      report.warnings == [
        "no map holds Vessel; the atlas will not know where to expect it",
        "b: its structures' centres stay 7.0 mm from where they should be, against 2.0 mm in most maps",
        "d: 60 % of what is labelled lies outside the grid", "e: lacks Eye",
      ])
  }

  @Test func manyWarningsAreCutShort() {
    let maps = (0..<50).map { map("m\($0)", absent: ["x\($0)"]) } + [map("fine", absent: [])]
    let warnings = MapsReport(maps, isHead: true).warnings
    #expect(warnings.count == 21)
    #expect(warnings.last == "30 more maps look wrong; see maps.tsv")
  }

  @Test func oneMapKnowsNoVariation() {
    #expect(
      MapsReport([map("a", absent: [])], isHead: true).warnings == [
        "only one label map: the atlas is that map, smoothed, and knows no variation"
      ])
  }
}
