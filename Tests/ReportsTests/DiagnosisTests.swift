import Anatomy
import Imaging
import Reports
import Testing

/// What people read when something is wrong.
@Suite struct DiagnosisTests {
  @Test func labelTablesNameFileAndLine() {
    let repeated = LabelTableError(
      file: "a.tsv", line: 7, .repeatedValue(17, first: "Left-Hippocampus", firstLine: 3))
    #expect(
      Diagnosis(of: repeated)
        == Diagnosis(
          "a.tsv, line 7: label value 17 already stands for 'Left-Hippocampus' (line 3)",
          hint: "Each value, merged ones too, may stand for one label only.", status: .badData))
    let color = LabelTableError(file: "b.txt", line: 2, .colorOutOfRange(channel: "G", value: 256))
    #expect(
      Diagnosis(of: color)
        == Diagnosis("b.txt, line 2: colour channel G is 256, expected 0 to 255", status: .badData))
    let missing = LabelTableError(file: "c.tsv", .missingFile)
    #expect(Diagnosis(of: missing).status == .noInput)
  }

  @Test func comparisonsTellWhichGridIsWhich() {
    let small = Grid(extents: SIMD3(2, 3, 4), affine: .identity)
    let large = Grid(extents: SIMD3(5, 6, 7), affine: .identity)
    #expect(
      Diagnosis(of: LabelComparisonError.otherGrid(small, reference: large)).message
        == "the segmentation does not lie on the reference's grid: 2x3x4 against 5x6x7 voxels")
    #expect(
      Diagnosis(of: LabelComparisonError.nothingToScore(smallest: 50)).status == .badData)
  }

  @Test func aMissingAtlasNamesThePlacesTried() throws {
    let locator = AtlasLocator(environment: ["SEGPIPE_ATLASES": "/nowhere"])
    #expect(throws: AtlasLocationError(name: "head", tried: ["/nowhere/head"])) {
      try locator.folder(of: "head")
    }
    let beside = AtlasLocator(environment: [:], executable: "/p/.build/x/release/segpipe")
    #expect(
      beside.candidates == [
        "/p/.build/x/release/atlases", "/p/.build/x/atlases",
        "/p/.build/x/share/segpipe/atlases", "/p/atlases",
      ])
    let error = AtlasLocationError(name: "head", tried: ["/a/head", "/b/head"])
    #expect(Diagnosis(of: error).message.hasSuffix("tried /a/head, /b/head"))
    #expect(Diagnosis(of: error).status == .noInput)
  }

  @Test func unknownErrorsAreDefects() {
    struct Odd: Error {}
    #expect(Diagnosis(of: Odd()).status == .internalError)
  }
}
