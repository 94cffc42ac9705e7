import Anatomy
import Foundation
import Imaging
import Reports
import Testing

@Suite struct TableTests {
  private let grid = Grid(
    extents: SIMD3(4, 1, 1), affine: Affine(rows: [[2, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0.5, 0]]))

  private func table() throws -> LabelTable {
    var vessel = Label(index: 9, name: "vessel, large", color: .black, group: "v")
    vessel.sources = [90]
    return try LabelTable(labels: [
      Label(index: 4, name: "liver", color: .black, group: "l"), vessel,
    ])
  }

  @Test func volumesAreLongAndComplete() throws {
    var volumes = VolumesTable()
    let found = [(1, 1.0), (1, 1.25), (2, 1.75)].map { voxels, soft in
      StructureVolume(voxels: voxels, hard: Double(voxels), soft: soft)
    }
    volumes.add(subject: "p1", volumes: found, table: try table())
    volumes.add(subject: "p2", volumes: found, table: try table())
    #expect(
      String(decoding: volumes.encoded(as: .tsv), as: UTF8.self) == """
        subject\tindex\tname\tvoxels\thard_mm3\tsoft_mm3
        p1\t4\tliver\t1\t1.000\t1.250
        p1\t9\tvessel, large\t2\t2.000\t1.750
        p2\t4\tliver\t1\t1.000\t1.250
        p2\t9\tvessel, large\t2\t2.000\t1.750

        """)
    #expect(
      String(decoding: volumes.encoded(as: .csv), as: UTF8.self)
        .contains("p1,9,\"vessel, large\",2,2.000,1.750\n"))
  }

  @Test func formatsGoByExtension() {
    #expect(DelimitedText(extensionOf: "a/b.TSV") == .tsv)
    #expect(DelimitedText(extensionOf: "b.csv") == .csv)
    #expect(DelimitedText(extensionOf: "tsv") == nil)
  }

  @Test func fieldsCannotBreakTheTable() {
    #expect(DelimitedText.tsv.encoded([["a\tb\r\nc"]]) == Array("a b  c\n".utf8))
    #expect(DelimitedText.csv.encoded([["a\"b", "c\nd"]]) == Array("\"a\"\"b\",\"c\nd\"\n".utf8))
  }

  @Test func decimalsAreTheSameEverywhere() {
    #expect(DecimalText.fixed(1.0005, 3) == "1.001")
    #expect(DecimalText.fixed(-0.04, 1) == "0.0")
    #expect(DecimalText.fixed(-12.345, 2) == "-12.35")
    #expect(DecimalText.fixed(1234567.5, 0) == "1234568")
    #expect(DecimalText.fixed(.nan, 2) == "n/a")
    #expect(ByteText.of(1536) == "1.5 KiB")
    #expect(ByteText.of(12) == "12 bytes")
  }

  @Test func evaluationsTellMeansAndRows() throws {
    let scores = [
      StructureScore(
        index: 4, name: "liver", voxels: 10, referenceVoxels: 10, sharedVoxels: 5, voxelVolume: 2,
        surfaceDistance95: 1.5),
      StructureScore(
        index: 9, name: "vessel", voxels: 0, referenceVoxels: 4, sharedVoxels: 0, voxelVolume: 2,
        surfaceDistance95: nil),
    ]
    let report = EvaluationReport(pairs: [
      EvaluationReport.Pair(segmentation: "s.nii", reference: "r.nii", scores: scores)
    ])
    #expect(report.meanDice == 0.25)
    #expect(
      report.text == """
        s.nii against r.nii: mean Dice 0.2500, mean 95 % distance 1.50 mm
          structure    Dice  95 % distance, mm  volume, mm3  difference
          liver       0.500               1.50           20       0.0 %
          vessel      0.000                n/a            0    -100.0 %
        mean over 1 scan: 0.2500
        """)
    #expect(report.rows[2].last == "-100.000")
    let json = try #require(
      try JSONSerialization.jsonObject(with: Data(try report.json().utf8)) as? [String: Any])
    #expect(json["meanDice"] as? Double == 0.25)
  }
}
