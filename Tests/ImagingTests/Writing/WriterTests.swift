import Foundation
import Parallel
import TestSupport
import Testing

@testable import Imaging

@Suite struct WriterTests {
  private let grid = Grid(extents: SIMD3(12, 11, 10), affine: Grid.standardHead.affine)

  private func labels(_ largest: Int32) -> Volume<Int32> {
    var volume = Volume<Int32>(grid: grid, voxels: (0..<1320).map { Int32($0 % 7) })
    volume.voxels[5] = largest
    return volume
  }

  @Test(arguments: [(Int32(255), VoxelType.uint8), (256, .int16), (32767, .int16), (32768, .int32)])
  func smallestType(largest: Int32, type: VoxelType) throws {
    let scratch = try Scratch()
    for name in ["a.nii", "a.nii.gz"] {
      let path = scratch.path(name)
      try ImageWriter.write(labels: labels(largest), like: nil, to: path, description: "segpipe 1")
      let image = try ImageReader.readLabels(path)
      #expect(image.findings.isEmpty)
      #expect(image.header.voxelType == type)
      #expect(image.volume == labels(largest))
      let fields = image.header.fields
      #expect(fields.intentCode == 1002 && fields.intentName == "segpipe labels")
      #expect(fields.descrip == "segpipe 1")
      #expect(fields.slope == 1 && fields.intercept == 0)
      #expect(fields.calMin == 0 && fields.calMax == Double(largest))
      #expect(fields.qformCode == 1 && fields.sformCode == 1)
    }
    #expect(scratch.names == ["a.nii", "a.nii.gz"])
  }

  @Test func negativeLabelsAreRefused() throws {
    let scratch = try Scratch()
    let path = scratch.path("a.nii")
    #expect(throws: ImagingError.labelOutOfRange(path: path, value: -1)) {
      try ImageWriter.write(labels: labels(-1), like: nil, to: path, description: "segpipe")
    }
    #expect(scratch.names.isEmpty)
    #expect(throws: ImagingError.unknownOutputFormat(path: scratch.path("a.mgz"))) {
      try ImageWriter.write(
        labels: labels(1), like: nil, to: scratch.path("a.mgz"), description: "segpipe")
    }
  }

  /// Geometry fields come out as they went in, whatever the two forms say, as long as they are
  /// valid.
  @Test(arguments: SampleImage.Version.allCases)
  func geometryIsRepeated(version: SampleImage.Version) throws {
    let scratch = try Scratch()
    for changes: [String: Double] in [
      [:], ["sform_code": 4, "qform_code": 0], ["sform_code": 0, "qform_code": 2],
      ["srow03": 20], ["quatern1": 0.1, "sform_code": 0], ["pixdim0": -1, "sform_code": 0],
      ["srow01": 0.4, "qform_code": 0], ["dim0": 4], ["xyzt_units": 10],
    ] {
      var sample = SampleImage(.uint8, version, bigEndian: true)
      for (field, value) in changes { sample.set(field, value) }
      let image = try ImageReader.readLabels(try scratch.file("i.nii", sample.bytes))
      let path = scratch.path("o.nii.gz")
      try ImageWriter.write(
        labels: image.volume, like: image.header, to: path, description: "segpipe")
      let output = try ImageReader.readLabels(path)
      #expect(output.volume == image.volume)
      let (a, b) = (image.header.fields, output.header.fields)
      #expect(a.srow == b.srow && a.quaternion == b.quaternion && a.qoffset == b.qoffset)
      #expect(a.qformCode == b.qformCode && a.sformCode == b.sformCode)
      #expect(a.pixdim[...3] == b.pixdim[...3] && a.xyztUnits == b.xyztUnits)
      #expect(a.dim == b.dim && a.version == b.version)
    }
  }

  /// Invalid or undeclared geometry is replaced by the one that was used.
  @Test func geometryThatWasUsed() throws {
    let scratch = try Scratch()
    for changes: [String: Double] in [
      ["qform_code": 0, "sform_code": 0], ["srow11": .nan], ["pixdim2": -2], ["pixdim2": 0],
      ["xyzt_units": 0],
    ] {
      var sample = SampleImage(.uint8)
      for (field, value) in changes { sample.set(field, value) }
      let image = try ImageReader.readLabels(try scratch.file("i.nii", sample.bytes))
      let path = scratch.path("o.nii")
      try ImageWriter.write(
        labels: image.volume, like: image.header, to: path, description: "segpipe")
      let output = try ImageReader.readLabels(path)
      #expect(output.volume == image.volume)
      #expect(output.findings.isEmpty)
    }
  }

  @Test func obliqueGridInBothForms() throws {
    let scratch = try Scratch()
    let (c, s) = (0.9981347984218669, 0.06104853953485687)
    let oblique = Grid(
      extents: SIMD3(12, 11, 10),
      affine: Affine(rows: [[-2 * c, 0, s, 3], [2 * s, 0, c, -1], [0, -1.5, 0, 8]]))
    let path = scratch.path("o.nii")
    try ImageWriter.write(
      labels: Volume(grid: oblique, repeating: 3), like: nil, to: path, description: "segpipe")
    for form in [ReadOptions.Transform.qform, .sform] {
      var options = ReadOptions()
      options.xform = form
      let image = try ImageReader.readLabels(path, options)
      // Single precision of the header.
      #expect(
        image.volume.grid.affine.largestDifference(from: oblique.affine, over: oblique.extents)
          < 1e-4)
    }
  }

  @Test func longAxesNeedNIfTI2() throws {
    let scratch = try Scratch()
    let long = Grid(extents: SIMD3(40000, 1, 2), affine: .identity)
    let volume = Volume<Int32>(grid: long, voxels: (0..<80000).map { Int32($0 % 300) })
    let path = scratch.path("l.nii.gz")
    try ImageWriter.write(labels: volume, like: nil, to: path, description: "segpipe")
    var options = ReadOptions()
    options.force = true
    let image = try ImageReader.readLabels(path, options)
    #expect(image.header.format == .nifti2)
    #expect(image.volume == volume)
  }

  /// Same content, same bytes, whatever the number of threads; no time and no name in the gzip
  /// header.
  @Test func reproducibleBytes() throws {
    let scratch = try Scratch()
    let grid = Grid(extents: SIMD3(130, 120, 160), affine: Grid.standardHead.affine)
    let scan = Volume<Float>(
      grid: grid, voxels: (0..<grid.count).map { Float(($0 &* 2_654_435_761) >> 20 & 1023) })
    let before = Parallel.threads
    defer { Parallel.threads = before }
    var files: [[UInt8]] = []
    for threads in [1, 2, 3, 8] {
      Parallel.threads = threads
      let path = scratch.path("t\(threads).nii.gz")
      try ImageWriter.write(scan: scan, like: nil, to: path, description: "segpipe")
      files.append(try contents(path))
      #expect(try ImageReader.readScan(path).volume == scan)
    }
    #expect(files.allSatisfy { $0 == files[0] })
    #expect(files[0][..<10] == [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255])
  }

  @Test func volumeByVolume() throws {
    let scratch = try Scratch()
    let path = scratch.path("p.nii.gz")
    var labelling = VolumeStreamWriter.Labelling()
    labelling.slope = 1 / 255.0
    labelling.displayRange = (0, 1)
    let writer = try VolumeStreamWriter(
      path, grid: grid, volumes: 4, type: .uint8, labelling: labelling)
    for volume in 0..<4 {
      try writer.write((0..<1320).map { UInt8(($0 + volume) % 256) })
    }
    #expect(throws: ImagingError.self) { try writer.write([UInt8](repeating: 0, count: 1320)) }
    #expect(throws: ImagingError.self) { try writer.write([UInt16](repeating: 0, count: 1320)) }
    try writer.commit()
    let stored = try StoredVolumes<UInt8>(path)
    #expect(stored.count == 4)
    #expect(
      stored.withVoxels { Array($0) }
        == (0..<4).flatMap { volume in (0..<1320).map { UInt8(($0 + volume) % 256) } })
    var options = ReadOptions()
    options.volumeIndex = 0
    #expect(try ImageReader.readScan(path, options).volume.voxels[255] == 1)
    #expect(throws: ImagingError.self) { try StoredVolumes<UInt16>(path) }
  }

  @Test func unfinishedStreamLeavesNothing() throws {
    let scratch = try Scratch()
    do {
      let writer = try VolumeStreamWriter(
        scratch.path("u.nii"), grid: grid, volumes: 2, type: .uint16)
      try writer.write([UInt16](repeating: 1, count: 1320))
      #expect(throws: ImagingError.self) { try writer.commit() }
    }
    #expect(scratch.names.isEmpty)
  }

  /// Cut behind its second volume, a file of three is read no part of.
  @Test func cutVolumes() throws {
    let scratch = try Scratch()
    let sample = SampleImage(.uint16, extents: [12, 11, 10, 3])
    let path = try scratch.file("c.nii.gz", gzipped(Array(sample.bytes.dropLast(100))))
    #expect(throws: ImagingError.self) { try StoredVolumes<UInt16>(path) }
  }
}
