import TestSupport
import Testing

@testable import Imaging

/// Values that are doubtful or impossible.
@Suite struct ContentTests {
  private func scan(
    _ type: VoxelType, _ options: ReadOptions = ReadOptions(),
    _ change: (inout SampleImage) -> Void
  ) throws -> ScanImage {
    let scratch = try Scratch()
    var sample = SampleImage(type)
    change(&sample)
    return try ImageReader.readScan(try scratch.file("c.nii", sample.bytes), options)
  }

  private func labels(
    _ type: VoxelType, _ change: (inout SampleImage) -> Void
  ) throws -> LabelImage {
    let scratch = try Scratch()
    var sample = SampleImage(type)
    change(&sample)
    return try ImageReader.readLabels(try scratch.file("c.nii", sample.bytes))
  }

  private func checks(_ error: ImagingError?) -> [String] {
    guard case .content(_, let findings)? = error else { return [] }
    return findings.errors.map(\.check)
  }

  @Test func valuesThatAreNotFinite() throws {
    let image = try scan(.float32) { sample in
      sample.store(Float.nan.bitPattern, 0)
      sample.store(Float.infinity.bitPattern, 4)
      sample.store((-Float.infinity).bitPattern, 8)
    }
    #expect(image.volume.voxels[..<4].map(\.isNaN) == [true, true, true, false])
    let finding = try #require(image.findings.first)
    #expect(finding.check == "not-finite")
    #expect(finding.message == "3 voxels (0.2 %) are not finite: 1 NaN, 2 infinite")

    func mostly(_ options: ReadOptions) throws -> ScanImage {
      try scan(.float64, options) { sample in
        for index in 0..<700 { sample.store(Double.nan.bitPattern, 8 * index) }
      }
    }
    let error = #expect(throws: ImagingError.self) { try mostly(ReadOptions()) }
    #expect(checks(error) == ["not-finite"])
    var force = ReadOptions()
    force.force = true
    #expect(try mostly(force).volume.voxels.filter(\.isNaN).count == 700)
    let all = #expect(throws: ImagingError.self) {
      try scan(.float32, force) { sample in
        for index in 0..<1320 { sample.store(Float.nan.bitPattern, 4 * index) }
      }
    }
    #expect(checks(all) == ["contrast"])
  }

  @Test func noContrast() throws {
    for value in [UInt8(0), 7] {
      let error = #expect(throws: ImagingError.self) {
        try scan(.uint8) { sample in
          sample.voxels = [UInt8](repeating: value, count: sample.voxels.count)
        }
      }
      #expect(checks(error) == ["contrast"])
    }
    let hot = try scan(.float32) { $0.store(Float(1e30).bitPattern, 400) }
    #expect(hot.volume.voxels[100] == 1e30)
    #expect(hot.findings.isEmpty)
  }

  @Test func wideIntegers() throws {
    let image = try scan(.int64) { $0.store(Int64(1) << 60, 0) }
    #expect(image.volume.voxels[0] == 0x1p60)
    #expect(image.findings.map(\.check) == ["precision"])
    let error = #expect(throws: ImagingError.self) {
      try scan(.float64) { $0.store(Double(1e300).bitPattern, 0) }
    }
    #expect(checks(error) == ["overflow"])
  }

  @Test func labelsThatAreNone() throws {
    for (value, text) in [
      (Float(3.5), "3.5"), (-2, "-2.0"), (.nan, "nan"), (3e9, "3000000000.0"), (0.25, "0.25"),
    ] {
      let error = #expect(throws: ImagingError.self) {
        // Voxel (2, 1, 3).
        try labels(.float32) { $0.store(value.bitPattern, 4 * (3 * 132 + 12 + 2)) }
      }
      guard case .content(_, let findings) = error else { continue }
      #expect(findings.errors.map(\.check) == ["label-value"])
      #expect(findings.errors.first?.message == "voxel (2, 1, 3) is \(text)")
    }
    let negative = #expect(throws: ImagingError.self) {
      try labels(.int16) { $0.store(Int16(-1), 0) }
    }
    #expect(checks(negative) == ["label-value"])
  }

  @Test func labelsStoredAsReals() throws {
    let image = try labels(.float64) { _ in }
    #expect(image.findings.map(\.check) == ["label-type"])
    #expect(image.volume.voxels[1] == 7)
  }

  @Test func labelsWithScaling() throws {
    let image = try labels(.uint8) { $0.set("scl_slope", 3) }
    #expect(image.volume.voxels[1] == 21)
    #expect(throws: ImagingError.self) { try labels(.uint8) { $0.set("scl_slope", 0.3) } }
  }

  @Test func oneVolumeOfSeveral() throws {
    let scratch = try Scratch()
    for bigEndian in [false, true] {
      let sample = SampleImage(.int16, bigEndian: bigEndian, extents: [12, 11, 10, 3])
      for bytes in [sample.bytes, gzipped(sample.bytes)] {
        let path = try scratch.file("v.nii", bytes)
        var options = ReadOptions()
        for volume in 0..<3 {
          options.volumeIndex = volume
          let image = try ImageReader.readScan(path, options)
          #expect(image.volume.voxels[1] == Float(7 + volume))
          #expect(
            image.volume.voxels[1319]
              == Float(SampleImage.value(1319 + 1320 * volume, sample.extents)))
        }
        for none in [3, nil] {
          options.volumeIndex = none
          let error = #expect(throws: ImagingError.self) {
            try ImageReader.readScan(path, options)
          }
          guard case .header(_, let findings) = error else { continue }
          #expect(findings.errors.map(\.check) == ["volumes"])
        }
        options.volumeIndex = 3
        #expect(throws: ImagingError.self) { try ImageReader.readScan(path, options) }
      }
    }
  }
}
