import Foundation
import TestSupport
import Testing

@testable import Imaging

/// Real files, beside the package and no part of it: all are read, or refused for the right reason.
/// Skipped where they are absent.
@Suite(.enabled(if: Places.hasShared)) struct SharedDataTests {
  /// What refuses each odd file as a scan.
  private static let refused = [
    "nibabel_analyze.hdr": "magic", "nibabel_example4d.nii.gz": "volumes",
    "nibabel_example_nifti2.nii.gz": "volumes", "nibabel_functional.nii": "slices",
    "nibabel_resampled_anat_moved.nii": "slices", "nibabel_row_major.dconn.nii": "extents",
    "nibabel_standard.nii.gz": "slices", "nibabel_test.mgz": "slices",
    "niivue_4d.nii.gz": "volumes",
    "niivue_complex.nii.gz": "datatype", "nibabel_nifti1.hdr": "pair", "nibabel_nifti2.hdr": "pair",
  ]

  private func images(_ folder: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: "\(Places.shared)/\(folder)")
      .filter { $0.contains(".nii") || $0.contains(".hdr") || $0.contains(".mg") }
      .map { "\(Places.shared)/\(folder)/\($0)" }
  }

  @Test func oddFiles() throws {
    var seen = 0
    for path in try images("awkward") {
      let name = String(path.split(separator: "/").last ?? "")
      do {
        let image = try ImageReader.readScan(path)
        #expect(Self.refused[name] == nil, "\(name) was read")
        #expect(image.volume.voxels.contains { $0 > 0 })
      } catch ImagingError.header(_, let findings) {
        #expect(findings.errors.map(\.check) == [Self.refused[name]], "\(name)")
      } catch ImagingError.missingPart { #expect(Self.refused[name] == "pair", "\(name)") }
      seen += 1
    }
    #expect(seen >= 19)
  }

  @Test func scansAndHeads() throws {
    let scans = try images("heads") + images("contrasts")
    #expect(scans.count >= 6)
    for path in scans {
      #expect(try ImageReader.readScan(path).header.geometryIsValid)
    }
    for subject in ["OASIS_0009", "bert", "ds004230_PS11"] {
      let folder = "\(Places.shared)/scans/\(subject)"
      let scan = try ImageReader.readScan(folder + "/scan.nii.gz")
      let labels = try ImageReader.readLabels(folder + "/reference.nii.gz")
      #expect(scan.findings.isEmpty && labels.findings.isEmpty)
      #expect(scan.volume.grid.extents == labels.volume.grid.extents)
    }
  }

  @Test func fourDimensions() throws {
    let path = "\(Places.shared)/awkward/niivue_4d.nii.gz"
    #expect(try ImageReader.readHeader(path).volumes == 10)
    var options = ReadOptions()
    for volume in 0..<10 {
      options.volumeIndex = volume
      #expect(try ImageReader.readScan(path, options).volume.voxels.contains { $0 > 0 })
    }
  }

  /// Onto the standard grid and back: what lies on it returns to the bit where voxels coincide.
  @Test func conformAndBack() throws {
    let scratch = try Scratch()
    let path = "\(Places.shared)/scans/bert/reference.nii.gz"
    let forward = Conforming(
      grid: nil, extents: nil, spacing: 1, like: nil, description: "segpipe")
    _ = try forward.labels(path, to: scratch.path("c.nii.gz"), ReadOptions())
    let reference = try ImageReader.readLabels(path)
    let back = Conforming(
      grid: reference.volume.grid, extents: nil, spacing: 1, like: reference.header,
      description: "segpipe")
    _ = try back.labels(scratch.path("c.nii.gz"), to: scratch.path("b.nii.gz"), ReadOptions())
    let returned = try ImageReader.readLabels(scratch.path("b.nii.gz"))
    #expect(returned.volume == reference.volume)
    #expect(returned.header.fields.srow == reference.header.fields.srow)
  }
}
