import Foundation
import Imaging
import Testing

/// `segpipe build-atlas` on two organs of no head: 64x64x64 voxels, their own grid, no label table.
@Suite struct BuildAtlasCommandTests {
  /// Two ellipsoids whose place and size differ from subject to subject.
  private func organs(_ subject: Int) -> Volume<Int32> {
    let extents = SIMD3(64, 64, 64)
    let grid = Grid(
      extents: extents,
      affine: Affine(rows: [[-1.5, 0, 0, 40], [0, 0, 1.5, -300], [0, -1.5, 0, 700]]))
    func vary(_ n: Int, _ most: Double) -> Double { most * sin(Double(7 * subject + 3 * n + 1)) }
    let shift = SIMD3(vary(0, 2), vary(1, 2), vary(2, 2))
    let large = SIMD3(13, 16, 18) * (1 + vary(3, 0.06))
    let small = SIMD3(7, 6, 9) * (1 + vary(4, 0.06))
    var voxels = [Int32](repeating: 0, count: grid.count)
    for voxel in voxels.indices {
      let p =
        SIMD3(
          Double(voxel % 64), Double(voxel / 64 % 64), Double(voxel / 4096)) - shift
      let a = (p - SIMD3(24, 34, 32)) / large
      let b = (p - SIMD3(46, 26, 36)) / small
      if (a * a).sum() <= 1 {
        voxels[voxel] = 200
      } else if (b * b).sum() <= 1 {
        voxels[voxel] = 301
      }
    }
    return Volume(grid: grid, voxels: voxels)
  }

  private func write(_ labels: Volume<Int32>, _ path: String) throws {
    try FileManager.default.createDirectory(
      atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try ImageWriter.write(labels: labels, like: nil, to: path, description: "test")
  }

  /// A scan of labels, with noise that follows from the voxel's number.
  private func scan(_ labels: Volume<Int32>) -> Volume<Float> {
    let intensities: [Int32: Float] = [0: 30, 200: 110, 301: 70]
    return Volume(
      grid: labels.grid,
      voxels: labels.voxels.enumerated().map { voxel, label in
        let noise = sin(Double(voxel) * 12.9898) * 43758.5453
        return (intensities[label] ?? 0) + Float(16 * (noise - noise.rounded(.down) - 0.5))
      })
  }

  @Test func anotherOrganFromMapsToSegmentation() throws {
    try Scratch.use { folder in
      for subject in 0..<5 { try write(organs(subject), folder + "/maps/s\(subject).nii.gz") }
      try "notes".write(toFile: folder + "/maps/notes.txt", atomically: true, encoding: .utf8)
      let built = try Program.run(
        "build-atlas", folder + "/maps", "-o", folder + "/atlas", "--name", "organs")
      #expect(built.status == 0, "\(built.errors)")
      #expect(built.output.isEmpty)
      #expect(built.errors.contains("1 other entries of the folders ignored"))
      #expect(built.errors.contains("made from the maps' values, 2 structures"))
      let rows = try String(contentsOfFile: folder + "/atlas/maps.tsv", encoding: .utf8)
        .split(separator: "\n")
      #expect(rows.count == 6)
      #expect(rows[0] == "map\tfit_rms_mm\tclipped_share\tcut_faces\tabsent")
      #expect(rows[1].hasPrefix("s0\t"))

      let truth = organs(9)
      try write(truth, folder + "/truth.nii.gz")
      try ImageWriter.write(
        scan: scan(truth), like: nil, to: folder + "/scan.nii.gz", description: "test")
      let segmented = try Program.run(
        "segment", folder + "/scan.nii.gz", "-o", folder + "/seg.nii.gz", "--atlas",
        folder + "/atlas")
      #expect(segmented.status == 0, "\(segmented.errors)")
      let scored = try Program.run(
        "evaluate", folder + "/seg.nii.gz", folder + "/truth.nii.gz", "--json")
      let report = try JSONSerialization.jsonObject(with: Data(scored.output.utf8))
      let mean = (report as? [String: Any])?["meanDice"] as? Double ?? 0
      #expect(mean > 0.9)
    }
  }

  @Test func sameMapsGiveSameBytes() throws {
    try Scratch.use { folder in
      for subject in 0..<2 { try write(organs(subject), folder + "/s\(subject).nii.gz") }
      let result = try Program.shell(
        """
        cd '\(folder)'
        segpipe build-atlas s0.nii.gz s1.nii.gz -o a -q --refinements 1 --threads 1 || exit
        segpipe build-atlas s1.nii.gz s0.nii.gz -o b -q --refinements 1 --threads 3 || exit
        diff -r a b
        """)
      #expect(result.status == 0, "\(result.output) \(result.errors)")
    }
  }

  /// A file size limit stands for a full disk: the atlas that was there stays whole.
  @Test func aFullDiskLeavesTheOldAtlas() throws {
    try Scratch.use { folder in
      for subject in 0..<2 { try write(organs(subject), folder + "/s\(subject).nii.gz") }
      let result = try Program.shell(
        """
        cd '\(folder)'
        segpipe build-atlas s0.nii.gz -o a -q --refinements 0 || exit
        cp -r a kept
        (ulimit -f 4; segpipe build-atlas s1.nii.gz -o a -q --refinements 0)
        echo $?
        diff -r a kept && segpipe build-atlas s1.nii.gz -o a -q --refinements 0 --name other
        echo $? a/atlas-*
        """)
      #expect(result.output == "74\n0 a/atlas-other_description.json\n", "\(result.errors)")
    }
  }

  @Test func whatLooksWrongIsSaid() throws {
    try Scratch.use { folder in
      try write(organs(0), folder + "/maps/a.nii.gz")
      try FileManager.default.createSymbolicLink(
        atPath: folder + "/maps/b.nii.gz", withDestinationPath: "a.nii.gz")
      let result = try Program.run(
        "build-atlas", folder + "/maps", "-o", folder + "/atlas", "--refinements", "0", "--grid",
        "24", "24", "24", "--spacing", "1")
      #expect(result.status == 0, "\(result.errors)")
      #expect(
        result.errors.contains(
          "warning: \(folder)/maps/b.nii.gz: the same file as \(folder)/maps/a.nii.gz; counted once"
        ))
      #expect(result.errors.contains("warning: only one label map"))
      #expect(result.errors.contains("% of what is labelled lies outside the grid"))
    }
  }

  @Test func refusalsComeEarlyAndChangeNothing() throws {
    try Scratch.use { folder in
      let map = folder + "/maps/a.nii.gz"
      try write(organs(0), map)
      try write(organs(1), folder + "/twin/a.nii.gz")
      try "index\tname\n200\tliver\n".write(
        toFile: folder + "/one.tsv", atomically: true, encoding: .utf8)
      func status(_ arguments: String) throws -> Int32 {
        try Program.shell("cd '\(folder)' && segpipe build-atlas \(arguments)").status
      }
      #expect(try status("none.nii.gz -o atlas") == 66)
      #expect(try status("maps twin -o atlas") == 64)
      #expect(try status("maps -o atlas --labels one.tsv") == 65)
      #expect(try status("maps -o maps") == 73)
      #expect(try status("maps -o atlas --name 'my atlas'") == 64)
      #expect(try status("maps -o atlas --workspace w") == 64)
      #expect(try status("maps -o atlas --smoothing nan") == 64)
      #expect(try status("maps -o atlas --mirrored yes") == 64)
      let names = try FileManager.default.contentsOfDirectory(atPath: folder + "/maps")
      #expect(names == ["a.nii.gz"])
    }
  }

  /// Neither a full disk nor a broken one takes the atlas that was there.
  @Test(.enabled(if: hasStrace, "strace is not installed"))
  func whatCannotBeBroughtToTheDiskReplacesNothing() throws {
    try Scratch.use { folder in
      let atlas = folder + "/atlas"
      func line(_ subject: Int) throws -> [String] {
        let map = folder + "/maps-\(subject)/a.nii.gz"
        try write(organs(subject), map)
        return [
          "build-atlas", map, "-o", atlas, "--refinements", "0", "--grid", "24", "24", "24",
          "--spacing", "4",
        ]
      }
      func content() throws -> [String: Data] {
        try FileManager.default.subpathsOfDirectory(atPath: atlas).reduce(into: [:]) {
          $0[$1] = FileManager.default.contents(atPath: atlas + "/" + $1)
        }
      }
      #expect(try Program.run(line(0)).status == 0)
      let before = try content()
      // One for each of the six files.
      for number in 1...6 {
        let fault = "inject=fsync:error=EIO:when=\(number)"
        let failed = try Program.run(
          Self.strace, ["-f", "-o", "/dev/null", "-e", fault, try Program.path()] + line(1))
        #expect(failed.status == 74, "\(number): \(failed.errors)")
        #expect(try content() == before, "\(number)")
      }
      #expect(try Program.run(line(1)).status == 0)
      #expect(try content() != before)
    }
  }

  private static let strace = "/usr/bin/strace"
  private static let hasStrace = FileManager.default.isExecutableFile(atPath: strace)
}
