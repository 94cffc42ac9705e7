import Foundation
import Imaging
import Testing

@Suite struct InspectCommandTests {
  /// Damaged headers of MGH files are refused; what is stated of one without a geometry holds.
  @Test func headersOfMGHAreJudged() throws {
    try Scratch.use { folder in
      let grid = TinyAtlas.grid
      let sound = RawNIfTI.mgh(TinyAtlas.scan().voxels, grid: grid)
      func inspect(_ at: Int, _ bytes: [UInt8], _ options: String...) throws -> Program.Result {
        var changed = sound
        changed.replaceSubrange(at..<at + bytes.count, with: bytes)
        try changed.write(to: folder + "/a.mgh")
        return try Program.run(["inspect", folder + "/a.mgh"] + options)
      }
      for frames: UInt8 in [0, 0xff] {
        let result = try inspect(16, [UInt8](repeating: frames, count: 4))
        #expect(result.status == 65)
        #expect(result.output.contains("dim[4] is \(frames == 0 ? 0 : -1), expected at least 1"))
      }
      // The centre is no number: only what is stated places it.
      let nan: [UInt8] = [0x7f, 0xc0, 0, 0]
      #expect(try inspect(78, nan).status == 65)
      for (at, bytes) in [(78, nan), (28, [UInt8](repeating: 0, count: 2))] {
        let stated = try inspect(at, bytes, "--assume-orientation", "RAS")
        #expect(stated.status == 0, "\(stated.errors)\(stated.output)")
        #expect(stated.output.contains("RAS is assumed, as asked"), "\(stated.output)")
        #expect(!stated.output.contains("nan"))
      }
      #expect(try inspect(28, [0, 0]).output.contains("FreeSurfer's stand-in"))
    }
  }

  private func labels(_ path: String) throws {
    let grid = Grid(
      extents: SIMD3(12, 11, 10),
      affine: Affine(rows: [[-1, 0, 0, 5], [0, 0, 1.5, 1], [0, -1, 0, 0]]))
    let volume = Volume<Int32>(grid: grid, voxels: (0..<1320).map { Int32($0 % 300) })
    try ImageWriter.write(labels: volume, like: nil, to: path, description: "segpipe test")
  }

  @Test func whatAFileIs() throws {
    try Scratch.use { folder in
      let path = folder + "/l.nii.gz"
      try labels(path)
      let result = try Program.run("inspect", path)
      #expect(result.status == 0)
      #expect(result.errors.isEmpty)
      #expect(
        result.output == """
          \(path)
            format       NIfTI-1, gzipped
            voxels       12 x 11 x 10
            voxel size   1 x 1 x 1.5 mm
            axes         LIA
            to world mm  -1  0  0  5
                         0  0  1.5  1
                         0  -1  0  0
            form codes   qform 1, sform 1
            datatype     int16
            values       0 to 299
            content      whole numbers from 0
            description  segpipe test
            sound

          """)
    }
  }

  @Test func everyFileIsLookedAtAndTheWorstCounts() throws {
    try Scratch.use { folder in
      let sound = folder + "/l.nii"
      try labels(sound)
      let bytes = try Data(contentsOf: URL(fileURLWithPath: sound))
      let cut = folder + "/cut.nii"
      try bytes.dropLast(7).write(to: URL(fileURLWithPath: cut))
      let result = try Program.run("inspect", "--json", cut, folder + "/none.nii", sound)
      #expect(result.status == 66)
      let reports = try #require(
        try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [[String: Any]])
      #expect(reports.map { $0["exitCode"] as? Int } == [65, 66, 0])
      #expect(
        reports[0]["error"] as? String
          == "\(cut): \(bytes.count - 7) bytes, expected \(bytes.count) by its header")
      #expect(reports[2]["orientation"] as? String == "LIA")
      #expect(reports[2]["isLabelMap"] as? Bool == true)
    }
  }

  /// A file is judged by what may be done with it: a label map may be thin, or of one value.
  @Test func labelMapsMayBeThinOrOfOneValue() throws {
    try Scratch.use { folder in
      let path = folder + "/f.nii"
      func status(_ slices: Int, _ value: (Int) -> Float) throws -> Int32 {
        let raw = RawNIfTI(extents: SIMD3(12, 12, slices), sformCode: 1, sform: Self.unit)
        try raw.bytes((0..<144 * slices).map(value)).write(to: path)
        let result = try Program.run("inspect", path)
        let isSound = result.output.contains("\n  sound")
        #expect(isSound == (result.status == 0), "\(result.output)")
        return result.status
      }
      let (thin, constant) = (try status(3) { Float($0 % 5) }, try status(12) { _ in 7 })
      #expect(thin == 0 && constant == 0)
      #expect(try Program.run("evaluate", path, path).status == 0)
      #expect(try status(3) { Float($0 % 5) + 0.5 } == 65)
      #expect(try status(12) { _ in 0.5 } == 65)
    }
  }

  private static let unit: [[Double]] = [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]]

  /// As for every command that reads one volume.
  @Test func oneOfSeveralVolumesMustBeNamed() throws {
    try Scratch.use { folder in
      let raw = RawNIfTI(extents: SIMD3(12, 12, 12), sformCode: 1, sform: Self.unit, more: [2])
      try raw.bytes((0..<2 * 1728).map { Float($0 % 9) }).write(to: folder + "/f.nii")
      let all = try Program.run("inspect", folder + "/f.nii")
      #expect(all.status == 65)
      #expect(all.output.contains("error: \(folder)/f.nii: 2 volumes in one file, expected one\n"))
      #expect(all.output.contains("hint: Choose one with --volume, from 0 to 1.\n"))
      #expect(try Program.run("inspect", folder + "/f.nii", "--volume", "1").status == 0)
      #expect(try Program.run("inspect", folder + "/f.nii", "--volume", "2").status == 65)
    }
  }

  @Test func whatAHeaderSaysIsPrintable() throws {
    try Scratch.use { folder in
      let path = folder + "/l.nii"
      try labels(path)
      var bytes = try fileBytes(path)
      let words = Array("\u{1B}[2Jred\n\u{202E}fed ä".utf8)
      // The field descrip of NIfTI-1.
      bytes.replaceSubrange(148..<148 + words.count + 1, with: words + [0])
      try bytes.write(to: path)
      let result = try Program.run("inspect", path)
      #expect(
        result.output.contains("  description  \\u{1B}[2Jred\\n\\u{202E}fed ä\n"),
        "\(result.output.debugDescription)")
    }
  }

  @Test func standardInput() throws {
    try Scratch.use { folder in
      try labels(folder + "/l.nii.gz")
      let result = try Program.shell("segpipe inspect - < '\(folder)/l.nii.gz'")
      #expect(result.status == 0)
      #expect(result.output.hasPrefix("-\n  format       NIfTI-1, gzipped\n"))
    }
  }
}
