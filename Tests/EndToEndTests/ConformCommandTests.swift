import Foundation
import Imaging
import Testing

@Suite struct ConformCommandTests {
  /// A scan of noise on a tilted grid: nothing compresses it.
  private func scan(_ path: String, extents: SIMD3<Int> = SIMD3(30, 40, 20)) throws {
    let tilted = Grid(
      extents: extents,
      affine: Affine(rows: [[2, 0.1, 0, -30], [-0.1, 2, 0, -50], [0, 0, 3, -30]]))
    let noise = Volume<Float>(
      grid: tilted,
      voxels: (0..<tilted.count).map { Float(($0 &* 2_654_435_761) >> 7 & 0xffff) })
    try ImageWriter.write(scan: noise, like: nil, to: path, description: "test")
  }

  @Test func ontoTheStandardGrid() throws {
    try Scratch.use { folder in
      try scan(folder + "/a.nii.gz")
      let result = try Program.run("conform", folder + "/a.nii.gz", "-o", folder + "/c.nii.gz")
      #expect(result.status == 0)
      #expect(result.output.isEmpty)
      let image = try ImageReader.readScan(folder + "/c.nii.gz")
      #expect(image.volume.grid == .standardHead)
      #expect(image.header.fields.qformCode == 1 && image.header.fields.sformCode == 1)
    }
  }

  /// A few slices between two voxels in four of the grid are found; what lies a universe away is refused, not sampled.
  @Test func whatLiesWhereIsTold() throws {
    try Scratch.use { folder in
      func conform(_ name: String, _ rows: [[Double]]) throws -> Program.Result {
        let grid = Grid(extents: SIMD3(60, 60, 2), affine: Affine(rows: rows))
        try ImageWriter.write(
          labels: Volume<Int32>(grid: grid, voxels: .init(repeating: 3, count: grid.count)),
          like: nil, to: folder + "/\(name).nii", description: "test")
        return try Program.run(
          "conform", "--labels", folder + "/\(name).nii", "-o", folder + "/\(name)_c.nii.gz")
      }
      for z in 0..<4 {
        let thin = try conform(
          "thin\(z)", [[1, 0, 0, -30], [0, 1, 0, -30], [0, 0, 0.4, Double(z) - 0.2]])
        #expect(thin.status == 0, "\(thin.errors)")
      }
      let far = try conform("far", [[1, 0, 0, 1e30], [0, 1, 0, -30], [0, 0, 1, 0]])
      #expect(far.status == 65, "\(far.errors)")
      #expect(far.errors.contains("far.nii: the first voxel lies at (1"), "\(far.errors)")
      let long = String(repeating: "n", count: 252) + ".nii"
      let name = try Program.run("conform", folder + "/thin0.nii", "-o", folder + "/" + long)
      #expect(name.status == 73, "\(name.errors)")
      let own = try Program.shell("cd '\(folder)'; segpipe conform - -o thin0.nii < thin0.nii")
      #expect(own.status == 64, "\(own.errors)")
    }
  }

  @Test func labelsThereAndBack() throws {
    try Scratch.use { folder in
      try scan(folder + "/a.nii")
      let reference = try ImageReader.readHeader(folder + "/a.nii")
      // Blocks of 10 voxels a side: they survive a finer grid.
      let extents = reference.grid.extents
      let labels = Volume<Int32>(
        grid: reference.grid,
        voxels: (0..<reference.grid.count).map {
          Int32($0 % extents.x / 10 + 3 * ($0 / extents.x % extents.y / 10))
        })
      let (start, middle, end) = (folder + "/l.nii", folder + "/m.nii.gz", folder + "/b.nii.gz")
      try ImageWriter.write(labels: labels, like: reference, to: start, description: "test")
      let there = try Program.run(
        "conform", "--labels", start, "-o", middle, "--grid", "100", "100", "100", "--spacing", "1")
      #expect(there.status == 0)
      let back = try Program.run(
        "conform", "--labels", middle, "-o", end, "--back", folder + "/a.nii")
      #expect(back.status == 0)
      let returned = try ImageReader.readLabels(end)
      #expect(returned.header.fields.srow == reference.fields.srow)
      let same = zip(returned.volume.voxels, labels.voxels).filter { $0 == $1 }.count
      #expect(Double(same) > 0.98 * Double(labels.grid.count))
    }
  }

  @Test func farFromTheGrid() throws {
    try Scratch.use { folder in
      let far = Grid(
        extents: SIMD3(20, 20, 20),
        affine: Affine(rows: [[1, 0, 0, 900], [0, 1, 0, 0], [0, 0, 1, 0]]))
      try ImageWriter.write(
        scan: Volume(grid: far, voxels: (0..<8000).map { Float($0) }), like: nil,
        to: folder + "/f.nii", description: "test")
      let result = try Program.run("conform", folder + "/f.nii", "-o", folder + "/c.nii")
      #expect(result.status == 65)
      #expect(result.errors.contains("does not reach the grid"))
      #expect(!FileManager.default.fileExists(atPath: folder + "/c.nii"))
    }
  }

  @Test(arguments: [
    (["--grid", "1", "2"], "--grid takes three extents from 1 to 4096."),
    (["--spacing", "1"], "--spacing needs --grid."),
    (["--grid", "9", "9", "9", "--spacing", "nan"], "--spacing is nan"),
    (["--like", "a.nii", "--back", "b.nii"], "exclude each other"),
    (["--assume-orientation", "RAR"], "it takes three letters such as RAS"),
    (["--xform", "none"], "The value 'none' is invalid"),
  ])
  func usage(options: [String], words: String) throws {
    let line = (["conform", "in.nii", "-o", "out.nii"] + options).joined(separator: " ")
    let result = try Program.shell("segpipe \(line)")
    #expect(result.status == 64)
    #expect(result.errors.contains(words), "\(result.errors)")
  }

  /// The file before stays as it was, and no other is left.
  @Test func aFileSizeLimit() throws {
    try Scratch.use { folder in
      try scan(folder + "/in.nii")
      let out = folder + "/out"
      try FileManager.default.createDirectory(atPath: out, withIntermediateDirectories: true)
      let old = out + "/o.nii"
      try "old".write(toFile: old, atomically: true, encoding: .utf8)
      for blocks in [1, 100, 20000] {
        let result = try Program.shell(
          "ulimit -f \(blocks); segpipe conform '\(folder)/in.nii' -o '\(old)' --overwrite -q")
        #expect(result.status == 74)
        #expect(result.errors.contains("nothing was left behind"))
        #expect(try String(contentsOfFile: old, encoding: .utf8) == "old")
        #expect(try FileManager.default.contentsOfDirectory(atPath: out) == ["o.nii"])
      }
    }
  }

  @Test(.enabled(if: SmallDisk.isPossible, "no small disk can be mounted"))
  func aFullDisk() throws {
    try Scratch.use { folder in
      try scan(folder + "/in.nii")
      let out = folder + "/out"
      try FileManager.default.createDirectory(atPath: out, withIntermediateDirectories: true)
      try #require(Program.shell("mount -t tmpfs -o size=1m none '\(out)'").status == 0)
      defer { _ = try? Program.shell("umount '\(out)'") }
      try "old".write(toFile: out + "/o.nii", atomically: true, encoding: .utf8)
      let result = try Program.shell(
        "segpipe conform '\(folder)/in.nii' -o '\(out)/o.nii' --overwrite -q")
      #expect(result.status == 74)
      #expect(try String(contentsOfFile: out + "/o.nii", encoding: .utf8) == "old")
      #expect(try FileManager.default.contentsOfDirectory(atPath: out) == ["o.nii"])
    }
  }
}
