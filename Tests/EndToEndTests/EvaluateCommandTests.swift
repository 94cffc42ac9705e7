import Foundation
import Imaging
import Testing

@Suite struct EvaluateCommandTests {
  private let grid = Grid(
    extents: SIMD3(12, 10, 8), affine: Affine(rows: [[-1, 0, 0, 5], [0, 2, 0, 1], [0, 0, 1, 0]]))

  private func write(_ path: String, on grid: Grid, _ value: (Int) -> Int32) throws {
    let labels = Volume(grid: grid, voxels: (0..<grid.count).map(value))
    try ImageWriter.write(labels: labels, like: nil, to: path, description: "test")
  }

  @Test func scoresGoToOutputTableAndJSON() throws {
    try Scratch.use { folder in
      let (found, truth) = (folder + "/s.nii.gz", folder + "/r.nii")
      // 48 of the reference's 96 voxels of label 3 are found, and nothing else.
      try write(found, on: grid) { $0 < 48 ? 3 : 0 }
      try write(truth, on: grid) { $0 < 96 ? 3 : 0 }
      let text = try Program.run(
        "evaluate", found, truth, "-o", folder + "/t.tsv",
        environment: ["LC_ALL": "de_DE.UTF-8", "LANG": "de_DE.UTF-8"])
      #expect(text.status == 0)
      #expect(text.output.contains("label-3"))
      #expect(text.output.hasSuffix("mean over 1 scan: 0.6667\n"))
      let table = try String(contentsOfFile: folder + "/t.tsv", encoding: .utf8)
      #expect(table.contains("\t3\tlabel-3\t0.666667\t"))
      #expect(table.contains("\t48\t96\t96.000\t192.000\t-96.000\t-50.000\n"))
      let json = try Program.run("evaluate", found, truth, "--json")
      let report = try #require(
        try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
      #expect(abs((report["meanDice"] as? Double ?? 0) - 2.0 / 3) < 1e-12)
    }
  }

  @Test func oneOfSeveralVolumesIsScored() throws {
    try Scratch.use { folder in
      let (found, truth) = (folder + "/s.nii", folder + "/r.nii")
      try write(truth, on: grid) { $0 < 96 ? 3 : 0 }
      // The reference's voxels twice, as two volumes of a 4-D image.
      var bytes = try fileBytes(truth)
      let voxels = bytes.suffix(grid.count)
      bytes += voxels
      (bytes[40], bytes[48]) = (4, 2)
      try Data(bytes).write(to: URL(fileURLWithPath: found))
      let refused = try Program.run("evaluate", found, truth)
      #expect(refused.status == 65 && refused.errors.contains("--volume"), "\(refused.errors)")
      try Data(bytes).write(to: URL(fileURLWithPath: truth))
      let scored = try Program.run("evaluate", found, truth, "--volume", "1")
      #expect(scored.output.hasSuffix("mean over 1 scan: 1.0000\n"), "\(scored)")
    }
  }

  @Test func aPairThatFailsDoesNotStopTheOthers() throws {
    try Scratch.use { folder in
      let (map, bad, table) = (folder + "/m.nii", folder + "/bad.nii", folder + "/t.tsv")
      try write(map, on: grid) { $0 < 96 ? 3 : 0 }
      try Array("no image".utf8).write(to: bad)
      let result = try Program.run(
        "evaluate", bad, map, map, map, folder + "/none.nii", map, map, map, "-o", table)
      // 65 for the first, 66 for the third.
      #expect(result.status == 66)
      #expect(result.output.hasSuffix("mean over 2 scans: 1.0000\n"), "\(result.output)")
      let lines = try String(contentsOfFile: table, encoding: .utf8).split(separator: "\n")
      #expect(lines.count == 3)
      #expect(result.errors.contains("segpipe: error: \(bad): "))
      #expect(result.errors.contains("segpipe: error: \(folder)/none.nii: no such file\n"))
      #expect(result.errors.contains("segpipe: 2 of 4 pairs failed:\n  \(bad): "))
      let none = try Program.run(
        "evaluate", bad, map, map, bad, "--json", "-o", folder + "/none.tsv")
      #expect(none.status == 65 && none.output.isEmpty)
      #expect(!FileManager.default.fileExists(atPath: folder + "/none.tsv"))
    }
  }

  @Test func otherGridsAndMissingFilesAreRefused() throws {
    try Scratch.use { folder in
      let (found, truth) = (folder + "/s.nii.gz", folder + "/r.nii.gz")
      try write(truth, on: grid) { _ in 3 }
      let moved = Affine(columns: grid.affine.columns, translation: SIMD3(5, 1.01, 0))
      try write(found, on: Grid(extents: grid.extents, affine: moved)) { _ in 3 }
      let result = try Program.run("evaluate", found, truth)
      #expect(result.status == 65)
      #expect(
        result.errors == """
          segpipe: error: \(found), \(truth): the segmentation does not lie on the reference's \
          grid: the same size of 12x10x8 voxels, but other places in space
            hint: Bring one onto the other's grid first, with segpipe conform.

          """)
      #expect(result.output.isEmpty)
      #expect(try Program.run("evaluate", folder + "/none.nii", truth).status == 66)
    }
  }
}
