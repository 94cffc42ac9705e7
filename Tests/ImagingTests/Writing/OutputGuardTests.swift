import Files
import Foundation
import TestSupport
import Testing

@testable import Imaging

@Suite struct OutputGuardTests {
  @Test func whatMayBeWritten() throws {
    let scratch = try Scratch()
    func check(_ path: String, overwrite: Bool = false, inputs: [String] = []) throws {
      try OutputGuard.check(path, overwrite: overwrite, inputs: inputs)
    }
    let input = try scratch.file("in.nii", SampleImage().bytes)
    try check(scratch.path("new.nii"), inputs: [input])
    try check(scratch.path("deep/er/new.nii"), inputs: [input])
    #expect(FileManager.default.fileExists(atPath: scratch.path("deep/er")))
    #expect(throws: ImagingError.outputExists(path: input)) { try check(input) }
    try check(input, overwrite: true)

    let link = scratch.path("link.nii")
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "in.nii")
    for path in [input, link] {
      #expect(throws: ImagingError.outputIsInput(path: path)) {
        try check(path, overwrite: true, inputs: [input])
      }
    }
    let volume = Volume<Int32>(
      grid: .init(extents: SIMD3(3, 3, 3), affine: .identity), repeating: 1)
    for name in ["ours.nii", "ours.nii.gz"] {
      let path = scratch.path(name)
      try ImageWriter.write(labels: volume, like: nil, to: path, description: "segpipe test")
      try check(path)
    }
    let folder = scratch.path("deep")
    #expect(throws: FileError.cannotCreate(path: folder, code: EISDIR)) {
      try check(folder, overwrite: true)
    }
    let below = input + "/x.nii"
    #expect(throws: FileError.cannotCreate(path: below, code: ENOTDIR)) { try check(below) }
    #expect(throws: FileError.self) { try check("/proc/none/x.nii") }
  }
}
