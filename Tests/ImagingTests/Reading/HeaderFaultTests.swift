import TestSupport
import Testing

@testable import Imaging

/// One broken field at a time: what is refused, what is warned of, and how it is then read.
@Suite struct HeaderFaultTests {
  struct Fault: Sendable, CustomTestStringConvertible {
    let name: String
    /// Check that must refuse the file, or warn of it.
    let check: String
    let level: Finding.Level
    let fields: [String: Double]
    var testDescription: String { name }

    init(_ name: String, _ check: String, _ level: Finding.Level, _ fields: [String: Double]) {
      (self.name, self.check, self.level, self.fields) = (name, check, level, fields)
    }
  }

  static let faults: [Fault] = [
    Fault("no dimensions", "dimensions", .error, ["dim0": 0]),
    Fault("nine dimensions", "dimensions", .error, ["dim0": 9]),
    Fault("200 dimensions", "dimensions", .error, ["dim0": 200]),
    Fault("negative dimensions", "dimensions", .error, ["dim0": -5]),
    Fault("negative extent", "extents", .error, ["dim2": -8]),
    Fault("zero extent", "extents", .error, ["dim3": 0]),
    Fault("five dimensions", "extents", .error, ["dim0": 5, "dim5": 2]),
    Fault("two dimensions", "extents", .error, ["dim0": 2]),
    Fault("one slice", "extents", .error, ["dim3": 1]),
    Fault("few slices", "slices", .error, ["dim3": 9]),
    Fault("datatype 0", "datatype", .error, ["datatype": 0]),
    Fault("datatype 999", "datatype", .error, ["datatype": 999]),
    Fault("RGB", "datatype", .error, ["datatype": 128]),
    Fault("complex", "datatype", .error, ["datatype": 32]),
    Fault("bitpix", "bitpix", .warning, ["bitpix": 12]),
    Fault("offset 0", "vox-offset", .error, ["vox_offset": 0]),
    Fault("offset -100", "vox-offset", .error, ["vox_offset": -100]),
    Fault("infinite slope", "scaling", .warning, ["scl_slope": .infinity]),
    Fault("NaN intercept", "scaling", .error, ["scl_slope": 2, "scl_inter": .nan]),
    Fault("slope that overflows", "overflow", .error, ["scl_slope": 3e38]),
    Fault("no unit", "units", .warning, ["xyzt_units": 0]),
    Fault("unit 5", "units", .warning, ["xyzt_units": 5]),
    Fault("micron", "voxel-size", .error, ["xyzt_units": 3]),
    Fault("metre", "voxel-size", .error, ["xyzt_units": 1]),
    Fault("no form", "forms", .warning, ["qform_code": 0, "sform_code": 0]),
    Fault("forms differ", "forms", .warning, ["srow03": 20]),
    Fault("NaN sform", "sform", .warning, ["srow11": .nan]),
    Fault("NaN sform alone", "forms", .error, ["srow11": .nan, "qform_code": 0]),
    Fault("zero sform alone", "forms", .error, ["srow11": 0, "qform_code": 0]),
    Fault("NaN qform", "qform", .warning, ["quatern0": .nan]),
    Fault("sheared", "sheared", .warning, ["srow01": 0.5, "qform_code": 0]),
    Fault("pixdim 0", "pixdim", .warning, ["pixdim2": 0]),
    Fault("pixdim negative", "pixdim", .warning, ["pixdim2": -2]),
    Fault("pixdim NaN", "pixdim", .warning, ["pixdim2": .nan, "qform_code": 0]),
    Fault("pixdim NaN, qform alone", "pixdim", .error, ["pixdim2": .nan, "sform_code": 0]),
    Fault("pixdim is not the sform's", "voxel-size", .warning, ["pixdim2": 3, "qform_code": 0]),
    Fault(
      "long voxels", "anisotropic", .warning, ["pixdim3": 5, "srow22": 5]),
  ]

  @Test(arguments: faults, SampleImage.Version.allCases)
  func fault(fault: Fault, version: SampleImage.Version) throws {
    let scratch = try Scratch()
    var sample = SampleImage(.int16, version)
    for (field, value) in fault.fields { sample.set(field, value) }
    let path = try scratch.file("f.nii", sample.bytes)
    if fault.level == .error {
      let error = #expect(throws: ImagingError.self) { try ImageReader.readScan(path) }
      switch error {
      case .header(_, let findings), .content(_, let findings):
        #expect(findings.errors.map(\.check) == [fault.check])
      default: Issue.record("\(String(describing: error))")
      }
    } else {
      let image = try ImageReader.readScan(path)
      #expect(image.findings.map(\.check).contains(fault.check))
      #expect(image.findings.errors.isEmpty)
    }
  }

  private func read(
    _ fields: [String: Double], _ options: ReadOptions = ReadOptions(), type: VoxelType = .uint8
  ) throws -> ScanImage {
    let scratch = try Scratch()
    var sample = SampleImage(type)
    for (field, value) in fields { sample.set(field, value) }
    return try ImageReader.readScan(try scratch.file("f.nii", sample.bytes), options)
  }

  @Test func slopeOfNothingMeansUnscaled() throws {
    for slope in [0, .nan, .infinity] {
      let image = try read(["scl_slope": slope, "scl_inter": 5])
      #expect(image.volume.voxels[1] == 7)
    }
    #expect(try read(["scl_slope": -2, "scl_inter": 5]).volume.voxels[1] == -9)
  }

  @Test func brokenOffsetIsMendedWhenAsked() throws {
    var options = ReadOptions()
    options.repair = true
    for offset in [0, -100, .nan, .infinity] {
      #expect(throws: ImagingError.self) { try read(["vox_offset": offset]) }
      #expect(try read(["vox_offset": offset], options).volume.voxels[1] == 7)
    }
    #expect(throws: ImagingError.self) { try read(["vox_offset": 1e9]) }
  }

  @Test func unitsAreScaledToMillimetres() throws {
    let metres = try read([
      "xyzt_units": 1, "pixdim1": 0.001, "pixdim2": 0.002, "pixdim3": 0.0015, "srow00": 0.001,
      "srow11": 0.002, "srow22": 0.0015, "srow03": 0.01, "srow13": 0, "srow23": 0,
      "qform_code": 0,
    ])
    let spacing = metres.volume.grid.spacing
    #expect(abs(spacing.y - 2) < 1e-6)
    #expect(abs(metres.volume.grid.affine.translation.x - 10) < 1e-6)
    #expect(metres.header.geometryIsValid)
  }

  @Test func whichFormIsBelieved() throws {
    // The sform, unless its voxel size contradicts pixdim while the qform's does not.
    #expect(try read(["srow03": 20]).volume.grid.affine.translation.x == 20)
    #expect(try read(["srow00": 1.1]).volume.grid.affine.columns.0.x == 1)
    var options = ReadOptions()
    options.xform = .qform
    #expect(try read(["srow03": 20], options).volume.grid.affine.translation.x == -5)
    options.xform = .sform
    #expect(try read(["srow00": 1.1], options).volume.grid.affine.columns.0.x > 1.05)
    #expect(throws: ImagingError.self) { try read(["sform_code": 0], options) }
  }

  @Test func undeclaredOrientation() throws {
    let undeclared = ["qform_code": 0.0, "sform_code": 0]
    let image = try read(undeclared)
    #expect(image.header.orientation.name == "LAS")
    #expect(image.volume.grid.affine.translation == SIMD3(5.5, -10, -6.75))
    #expect(!image.header.geometryIsValid)
    var options = ReadOptions()
    options.assumedOrientation = "PIR"
    #expect(try read(undeclared, options).header.orientation.name == "PIR")
  }

  @Test func singleVolumeOfFourDimensions() throws {
    let image = try read(["dim0": 4, "dim4": 1])
    #expect(image.header.extents == [12, 11, 10, 1])
  }

  @Test func analyzeOnlyWhenAllowed() throws {
    let scratch = try Scratch()
    var sample = SampleImage(.int16, singleFile: false)
    for i in 344..<348 { sample.setByte(i, 0) }
    let path = try scratch.file("a.hdr", sample.header.dropLast(4))
    _ = try scratch.file("a.img", sample.voxels)
    #expect(throws: ImagingError.self) { try ImageReader.readScan(path) }
    var options = ReadOptions()
    options.allowAnalyze = true
    let image = try ImageReader.readScan(path, options)
    #expect(image.header.format == .analyze)
    #expect(image.findings.map(\.check).contains("forms"))
    #expect(image.volume.voxels[1] == 7)
  }

  @Test func extensionsThatMakeNoSense() throws {
    let scratch = try Scratch()
    for (size, isSound) in [(0, false), (-16, false), (17, false), (4096, false), (32, true)] {
      var sample = SampleImage()
      sample.set("vox_offset", 384)
      sample.setByte(348, 1)
      var between = [UInt8](repeating: 0, count: 32)
      between.replaceSubrange(0..<4, with: withUnsafeBytes(of: Int32(size)) { Array($0) })
      between[4] = 6
      let path = try scratch.file("e.nii", sample.header + between + sample.voxels)
      let image = try ImageReader.readScan(path)
      #expect(image.findings.map(\.check) == (isSound ? [] : ["extension"]))
      #expect(image.volume.voxels[1] == 7)
    }
  }

  @Test func impossibleSizesAreRefusedBeforeAnythingIsAllocated() throws {
    let scratch = try Scratch()
    for extents in [[32767, 32767, 32767], [2000, 2000, 2000]] {
      var sample = SampleImage(.float64)
      for axis in 0..<3 { sample.set("dim\(axis + 1)", Double(extents[axis])) }
      for bytes in [sample.bytes, gzipped(sample.bytes)] {
        let path = try scratch.file("h.nii", bytes)
        #expect(throws: ImagingError.self) { try ImageReader.readScan(path) }
      }
    }
    var sample = SampleImage(.float64, .nifti2)
    for axis in 1...3 { sample.set("dim\(axis)", 0x1p40) }
    let path = try scratch.file("h2.nii", sample.bytes)
    #expect(throws: ImagingError.self) { try ImageReader.readScan(path) }
  }
}
