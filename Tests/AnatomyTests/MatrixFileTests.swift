import Files
import Foundation
import Imaging
import Testing

@testable import Anatomy

/// Affines as other programs write them.
@Suite struct MatrixFileTests {
  private let scan = Grid(
    extents: SIMD3(20, 30, 40),
    affine: Affine(rows: [[2, 0, 0, -19], [0, 2, 0, -31], [0, 0, 3, -50]]))
  private let atlas = Grid.standardHead

  private func read(
    _ name: String, _ bytes: [UInt8], _ format: MatrixFile.Format? = nil
  ) throws -> MatrixFile {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appendingPathComponent(name)
    try Data(bytes).write(to: file)
    return try MatrixFile(reading: file.path, format: format)
  }

  private func read(
    _ name: String, _ text: String, _ format: MatrixFile.Format? = nil
  ) throws -> MatrixFile { try read(name, Array(text.utf8), format) }

  private func distance(_ a: SIMD3<Double>, _ b: SIMD3<Double>) -> Double { norm(a - b) }

  /// Points taken from SimpleITK 2.5: TransformPoint of the transform below, LPS mm.
  private static let points: [(SIMD3<Double>, SIMD3<Double>)] = [
    (SIMD3(0, 0, 0), SIMD3(2, -6.5, 4.6)), (SIMD3(1, 2, 3), SIMD3(3.1, -4.25, 7.64)),
    (SIMD3(-40, 50, 60), SIMD3(-29, 55.5, 65.6)),
  ]

  private static let text = """
    #Insight Transform File V1.0
    #Transform 0
    Transform: AffineTransform_double_3_3
    Parameters: 0.9 0.1 0 -0.1 1.1 0.05 0 0.02 1 3 -4 5
    FixedParameters: 10 20 30
    """

  /// The same transform as SimpleITK writes it into a .mat.
  private static let matlab = """
    000000000c00000001000000000000001b000000416666696e655472616e73666f726d5f646f75626c655f335f33\
    00cdccccccccccec3f9a9999999999b93f00000000000000009a9999999999b9bf9a9999999999f13f9a99999999\
    99a93f00000000000000007b14ae47e17a943f000000000000f03f000000000000084000000000000010c0000000\
    00000014400000000003000000010000000000000006000000666978656400000000000000244000000000000034\
    400000000000003e40
    """

  private func hexadecimal(_ text: String) -> [UInt8] {
    let digits = text.compactMap { $0.hexDigitValue }
    return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] * 16 + digits[$0 + 1]) }
  }

  @Test func itkGoesFromAtlasToScanInLPS() throws {
    let files = [
      try read("a.tfm", Self.text), try read("b.txt", Self.text.replacing("\n", with: "\r\n")),
      try read("0GenericAffine.mat", hexadecimal(Self.matlab)),
    ]
    for file in files {
      #expect(file.format == .itk)
      let transform = try file.transform(scan: scan, atlas: atlas)
      for (inAtlas, inScan) in Self.points {
        let turn = SIMD3(-1.0, -1, 1)
        #expect(distance(transform(inScan * turn), inAtlas * turn) < 1e-9)
      }
    }
  }

  @Test func fslCountsVoxelsFromTheLeft() throws {
    // The identity of FSL's coordinates puts corner on corner; the scan's first axis, which runs to the
    // right, is flipped, the atlas's is not.
    let file = try read("a.mat", "1 0 0 0  \n0 1 0 0  \n0 0 1 0  \n0 0 0 1  \n")
    #expect(file.format == .fsl)
    let transform = try file.transform(scan: scan, atlas: atlas)
    let first = scan.affine(SIMD3(19, 0, 0))
    #expect(distance(transform(first), atlas.affine(SIMD3(0, 0, 0))) < 1e-9)
    let other = scan.affine(SIMD3(9, 5, 7))
    #expect(distance(transform(other), atlas.affine(SIMD3(20, 10, 21))) < 1e-9)
  }

  @Test func plainRowsAreTakenAsTheyStand() throws {
    let text = "# a comment\n1, 0, 0, 5\n0 1 0 -6\n\n0\t0\t1\t7\n"
    let file = try read("a.txt", text)
    #expect(file.format == .plain)
    #expect(
      try file.transform(scan: scan, atlas: atlas)
        == Affine(rows: [[1, 0, 0, 5], [0, 1, 0, -6], [0, 0, 1, 7]]))
    #expect(try read("a.mat", text, .plain).format == .plain)
    #expect(try read("a.txt", text, .fsl).format == .fsl)
  }

  @Test(arguments: MatrixFile.Format.allCases.filter { $0 != .fsl })
  func whatIsWrittenIsReadBack(_ format: MatrixFile.Format) throws {
    let transform = Affine(
      rows: [[1.02, 0.1, -0.03, 12.5], [-0.08, 0.95, 0.2, -7.25], [0.01, -0.19, 1.1, 30.125]])
    let text = MatrixFile.text(transform, as: format, software: "segpipe")
    let back = try read("a.txt", text).transform(scan: scan, atlas: atlas)
    #expect(back.largestDifference(from: transform, over: SIMD3(200, 200, 200)) < 1e-9)
  }

  @Test(arguments: [
    ("", "nothing that can be read"), ("# nothing\n", "0 rows of 0 numbers"),
    ("1 2 3\n", "1 rows of 3 numbers"),
    ("1 0 0 0\n0 1 0 0\n0 0 one 0\n", "'0 0 one 0'"),
    ("1 0 0 0\n0 1 0 0\n0 0 1 0\n0 0 0 2\n", "a last row other than 0 0 0 1"),
    ("1 0 0 nan\n0 1 0 0\n0 0 1 0\n", "a number is not finite"),
    ("1 0 0 0\n0 1 0 0\n0 0 0 0\n", "a matrix without an inverse"),
    ("-1 0 0 0\n0 1 0 0\n0 0 1 0\n", "a map that swaps left and right"),
    ("9 0 0 0\n0 9 0 0\n0 0 9 0\n", "a map that multiplies volumes by 729.0"),
    ("#Insight Transform File V1.0\n", "no line 'Transform:'"),
    (
      "#Insight Transform File V1.0\nTransform: Euler3DTransform_double_3_3\n",
      "an ITK Euler3DTransform_double_3_3"
    ),
    (
      "#Insight Transform File V1.0\nTransform: AffineTransform_double_3_3\nParameters: 1 2\n",
      "an ITK transform of 2 and 0 parameters"
    ),
  ])
  func whatIsNoAffineIsRefused(_ text: String, _ found: String) throws {
    let error = #expect(throws: AnatomyError.self) {
      _ = try read("a.txt", text).transform(scan: scan, atlas: atlas)
    }
    guard case .badMatrix(_, let words)? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(words == found)
  }

  @Test func binaryRubbishIsRefused() {
    var rubbish = hexadecimal(Self.matlab)
    rubbish[4] = 200
    #expect(throws: AnatomyError.self) { _ = try read("a.mat", rubbish) }
    #expect(throws: AnatomyError.self) { _ = try read("a.mat", Array(rubbish.prefix(60))) }
    #expect(throws: AnatomyError.self) {
      _ = try read("a.txt", [UInt8](repeating: 32, count: 70_000))
    }
    #expect(throws: FileError.missing(path: "/nowhere/a.mat")) {
      _ = try MatrixFile(reading: "/nowhere/a.mat")
    }
  }
}
