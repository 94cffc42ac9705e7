import Foundation
import TestSupport
import Testing

@testable import Imaging

@Suite struct ImageNameTests {
  @Test(arguments: [
    ("a/s.nii", "s", ImageName.Part.image), ("S.NII.GZ", "S", .image), ("/s.mgz", "s", .image),
    ("s.mgh", "s", .image), ("b/s.MGH.gz", "s", .image), ("s.hdr", "s", .header),
    ("s.Hdr.Gz", "s", .header), ("s.img", "s", .voxels), ("s.img.gz", "s", .voxels),
    ("a.b.nii.gz", "a.b", .image), ("s.gz", "s.gz", nil), ("x.nii/readme", "readme", nil),
    ("a/.nii", ".nii", .image), ("", "", nil),
  ])
  func whatANameTells(path: String, name: String, part: ImageName.Part?) {
    #expect(ImageName(path).name == name)
    #expect(ImageName(path).part == part)
  }

  @Test func foldersHoldImagesTheirHalvesAndOthers() {
    let names = [
      "._a.nii", "a.nii", "b.hdr.gz", "b.img.gz", "c.HDR", "c.IMG", "d.mgh.gz", "folder.nii",
      "alone.img", "readme.txt", "pair.nii", "pair.img",
    ]
    let found = ImageName.images(among: names) { $0 != "folder.nii" }
    #expect(found.images == ["a.nii", "b.hdr.gz", "c.HDR", "d.mgh.gz", "pair.nii"])
    #expect(found.others == 4)
  }

  /// Names that count as images lead to images: what a folder lists can be read.
  @Test func listedNamesAreRead() throws {
    let scratch = try Scratch()
    let fixture = try contents("\(Places.fixtures)/volume.mgz")
    let pair = SampleImage(.int16, singleFile: false)
    for ending in ImageName.readable {
      let path = scratch.path("s" + ending)
      if ImageName(path).part == .header {
        _ = try scratch.file("s.img", pair.voxels)
        _ = try scratch.file(
          "s" + ending, ending.hasSuffix(".gz") ? gzipped(pair.header) : pair.header)
      } else if ending.hasPrefix(".mg") {
        _ = try scratch.file("s" + ending, fixture)
      } else {
        let plain = SampleImage(.int16).bytes
        _ = try scratch.file("s" + ending, ending.hasSuffix(".gz") ? gzipped(plain) : plain)
      }
      #expect(try ImageReader.readHeader(path).extents.count >= 3, "\(ending)")
    }
    #expect(ImageName.readable.count == 7)
  }
}
