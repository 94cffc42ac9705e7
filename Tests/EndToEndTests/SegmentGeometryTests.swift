import Foundation
import Imaging
import Testing

/// A label map lies where its scan lies, in every program.
@Suite struct SegmentGeometryTests {
  private static let affine = TinyAtlas.grid.affine

  /// Geometries whose fields must come back as they stand.
  private static let verbatim: [(String, RawNIfTI)] = {
    let middle = affine.translation
    // 3.5 degrees about the third axis.
    let angle = 3.5 * Double.pi / 180
    let (c, s) = (3 * cos(angle), 3 * sin(angle))
    let turned = [[c, -s, 0, middle.x + 2], [s, c, 0, middle.y], [0, 0, 3, middle.z - 4]]
    var qform = RawNIfTI()
    (qform.qformCode, qform.offset) = (1, middle)
    var sform = RawNIfTI()
    (sform.sformCode, sform.sform) = (4, affine.rows)
    var oblique = RawNIfTI()
    (oblique.qformCode, oblique.sformCode, oblique.sform) = (1, 2, turned)
    oblique.quaternion = SIMD3(0, 0, sin(angle / 2))
    oblique.offset = SIMD3(turned[0][3], turned[1][3], turned[2][3])
    var mirrored = RawNIfTI()
    (mirrored.qformCode, mirrored.quaternion) = (2, SIMD3(0, 1, 0))
    mirrored.pixdim[0] = -1
    mirrored.offset = SIMD3(-middle.x, middle.y, middle.z)
    var squeezed = sform
    squeezed.more = [1]
    var metres = sform
    (metres.units, metres.pixdim) = (1, [1, 0.003, 0.003, 0.003])
    metres.sform = affine.rows.map { $0.map { $0 / 1000 } }
    return [
      ("qform", qform), ("sform", sform), ("oblique", oblique), ("mirrored", mirrored),
      ("squeezed", squeezed), ("metres", metres),
    ]
  }()

  private func grid(_ path: String) throws -> Grid {
    try ImageReader.readHeader(path).grid
  }

  @Test(arguments: [1, 2]) func validGeometryIsRepeated(_ version: Int) throws {
    try Scratch.use { folder in
      try FileManager.default.createDirectory(
        atPath: folder + "/in", withIntermediateDirectories: true)
      for (name, sketch) in Self.verbatim {
        var sketch = sketch
        sketch.version = version
        let path = "\(folder)/in/\(name).nii"
        // Once for the grid that the header states, and once with what lies there.
        try sketch.bytes([Float](repeating: 0, count: TinyAtlas.grid.count)).write(to: path)
        try sketch.bytes(TinyAtlas.scan(on: try grid(path)).voxels).write(to: path)
      }
      let result = try Program.run(
        "segment", folder + "/in", "-o", folder + "/out", "--atlas", TinyAtlas.folder)
      try #require(result.status == 0, "\(result.errors)")
      for (name, sketch) in Self.verbatim {
        let (input, output) = ("\(folder)/in/\(name).nii", "\(folder)/out/\(name)_seg.nii.gz")
        let (before, after) = (try fileBytes(input), try unpacked(output))
        #expect(after.count > 352)
        #expect(Int(after[0]) + Int(after[1]) << 8 == (version == 1 ? 348 : 540))
        for field in RawNIfTI.geometry(version: version) {
          #expect(before[field] == after[field], "\(name): bytes \(field)")
        }
        // The same number of dimensions and the same extents.
        let dim = version == 1 ? 40..<56 : 16..<80
        #expect(before[dim] == after[dim], "\(name)")
        let labels = try ImageReader.readLabels(output).volume
        let truth = TinyAtlas.labels(on: try grid(input))
        #expect(TinyAtlas.dice(labels, truth, 2) > 0.95, "\(name)")
        #expect(sketch.extents == labels.grid.extents)
      }
    }
  }

  @Test func unknownGeometryIsStated() throws {
    try Scratch.use { folder in
      try FileManager.default.createDirectory(
        atPath: folder + "/in", withIntermediateDirectories: true)
      let voxels = TinyAtlas.scan().voxels
      try RawNIfTI().bytes(voxels).write(to: folder + "/in/neither.nii")
      let turned = Grid(
        extents: TinyAtlas.grid.extents,
        affine: Affine(rows: [[-3, 0, 0, 70], [0, 0, 3, -64], [0, -3, 0, 58]]))
      try RawNIfTI.mgh(TinyAtlas.scan(on: turned).voxels, grid: turned)
        .write(to: folder + "/in/freesurfer.mgh")
      let result = try Program.run(
        "segment", folder + "/in", "-o", folder + "/out", "--atlas", TinyAtlas.folder,
        "--assume-orientation", "RAS")
      try #require(result.status == 0, "\(result.errors)")
      #expect(result.errors.contains("neither.nii: "))
      for name in ["neither.nii", "freesurfer.mgh"] {
        let stem = name.prefix { $0 != "." }
        let input = folder + "/in/" + name
        var options = ReadOptions()
        options.assumedOrientation = "RAS"
        let expected = try ImageReader.readHeader(input, options).grid
        let found = try ImageReader.readLabels("\(folder)/out/\(stem)_seg.nii.gz")
        #expect(found.header.formCode > 0)
        #expect(found.header.fields.xyztUnits & 7 == 2)
        let distance = found.volume.grid.affine.largestDifference(
          from: expected.affine, over: expected.extents)
        #expect(distance < 1e-3, "\(name) moved by \(distance) mm")
        #expect(TinyAtlas.dice(found.volume, TinyAtlas.labels(on: expected), 1) > 0.97, "\(name)")
      }
    }
  }
}
