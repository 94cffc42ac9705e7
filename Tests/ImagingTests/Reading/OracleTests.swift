import CNIfTI
import TestSupport
import Testing

@testable import Imaging

/// Sound files give what libnifti2's own reader gives.
@Suite struct OracleTests {
  /// libnifti2's voxels as it gives them, in this machine's byte order, and its sform.
  private func oracle(_ path: String) throws -> (bytes: [UInt8], rows: [[Double]]) {
    let image = try #require(nifti_image_read(path, 1))
    defer { nifti_image_free(image) }
    let count = Int(image.pointee.nvox) * Int(image.pointee.nbyper)
    let data = try #require(image.pointee.data)
    let m = image.pointee.sto_xyz.m
    return (
      Array(UnsafeRawBufferPointer(start: data, count: count)),
      [
        [m.0.0, m.0.1, m.0.2, m.0.3], [m.1.0, m.1.1, m.1.2, m.1.3], [m.2.0, m.2.1, m.2.2, m.2.3],
      ]
    )
  }

  @Test(arguments: VoxelType.allCases, SampleImage.Version.allCases)
  func typesOrdersAndContainers(type: VoxelType, version: SampleImage.Version) throws {
    let scratch = try Scratch()
    for bigEndian in [false, true] {
      var sample = SampleImage(type, version, bigEndian: bigEndian)
      for scaled in [false, true] {
        sample.set("scl_slope", scaled ? 0.25 : 1)
        sample.set("scl_inter", scaled ? -3 : 0)
        for compressed in [false, true] {
          let path = try scratch.file(
            compressed ? "a.nii.gz" : "a.nii", compressed ? gzipped(sample.bytes) : sample.bytes)
          let image = try ImageReader.readScan(path)
          let expected = try oracle(path)
          let (values, _) = expected.bytes.withUnsafeBytes {
            VoxelDecoder.intensities($0, type, count: 1320, scaling: (1, 0))
          }
          #expect(image.findings.isEmpty)
          #expect(image.volume.voxels == values.map { scaled ? $0 * 0.25 - 3 : $0 })
          #expect(image.volume.grid.affine.rows == expected.rows)
          #expect(image.header.geometryIsValid)
          let formula = (0..<1320).map { Float(SampleImage.value($0, sample.extents)) }
          #expect(values == formula)
          guard !scaled else { continue }
          #expect(try ImageReader.readLabels(path).volume.voxels == formula.map { Int32($0) })
        }
      }
    }
  }

  @Test func pairOfFiles() throws {
    let scratch = try Scratch()
    for version in SampleImage.Version.allCases {
      let sample = SampleImage(.int16, version, singleFile: false)
      let header = try scratch.file("p.hdr", sample.header)
      let voxels = try scratch.file("p.img", sample.voxels)
      let image = try ImageReader.readScan(header)
      #expect(image.volume.voxels[..<3] == [0, 7, 14])
      #expect(try ImageReader.readScan(voxels).volume == image.volume)
    }
    #expect(throws: ImagingError.self) { try ImageReader.readScan(scratch.path("q.img")) }
  }

  @Test func qformAlone() throws {
    let scratch = try Scratch()
    var sample = SampleImage(.uint8)
    sample.set("sform_code", 0)
    // 30 degrees about z, mirrored in the third axis.
    sample.set("quatern2", 0.25881904510252074)
    sample.set("pixdim0", -1)
    let path = try scratch.file("q.nii", sample.bytes)
    let image = try ImageReader.readScan(path)
    let expected = try #require(nifti_image_read(path, 0))
    defer { nifti_image_free(expected) }
    let m = expected.pointee.qto_xyz.m
    let rows = [
      [m.0.0, m.0.1, m.0.2, m.0.3], [m.1.0, m.1.1, m.1.2, m.1.3], [m.2.0, m.2.1, m.2.2, m.2.3],
    ]
    for (row, other) in zip(image.volume.grid.affine.rows, rows) {
      for (a, b) in zip(row, other) { #expect(abs(a - b) < 1e-6) }
    }
    #expect(image.volume.grid.affine.determinant < 0)
  }
}
