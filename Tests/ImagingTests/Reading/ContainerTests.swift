import Files
import Foundation
import TestSupport
import Testing

@testable import Imaging

/// Damaged containers, wrong names, special files.
@Suite struct ContainerTests {
  private let sample = SampleImage(.int16)

  private func error(_ name: String, _ bytes: [UInt8]) throws -> ImagingError? {
    let scratch = try Scratch()
    let path = try scratch.file(name, bytes)
    do {
      _ = try ImageReader.readScan(path)
      return nil
    } catch let error as ImagingError { return error }
  }

  private func fault(_ bytes: [UInt8]) throws -> GzipFault? {
    guard case .gzip(_, let fault, _, _)? = try error("a.nii.gz", bytes) else { return nil }
    return fault
  }

  @Test func gzipFaults() throws {
    let packed = gzipped(sample.bytes)
    #expect(try error("a.nii.gz", packed) == nil)
    #expect(try fault(Array(packed.prefix(packed.count / 2))) == .truncated)
    let half = try error("half.nii.gz", Array(packed.prefix(packed.count / 2)))
    guard case .gzip(_, _, let decoded, sample.bytes.count)? = half else {
      Issue.record("not told how many bytes were expected: \(String(describing: half))")
      return
    }
    #expect(decoded > 352 && decoded < sample.bytes.count)
    #expect(try fault(packed.dropLast(8)) == .trailerTruncated)
    #expect(try fault(packed.dropLast(1)) == .trailerTruncated)
    var checksum = packed
    checksum[packed.count - 6] ^= 1
    guard case .checksum? = try fault(checksum) else {
      Issue.record("a wrong checksum passed")
      return
    }
    var length = packed
    length[packed.count - 3] ^= 1
    #expect(try fault(length) == .length(found: 2992, expected: 2992 ^ 256))
  }

  /// A bit flipped anywhere behind the header is found, whether or not the stream still decodes.
  @Test func everyFlippedBitIsFound() throws {
    let scratch = try Scratch()
    let packed = gzipped(sample.bytes)
    for position in stride(from: 10, to: packed.count, by: 3) {
      var broken = packed
      broken[position] ^= UInt8(1 << (position % 8))
      let path = try scratch.file("b.nii.gz", broken)
      #expect(throws: ImagingError.self) { try ImageReader.readScan(path) }
    }
  }

  @Test func membersAndGarbage() throws {
    let scratch = try Scratch()
    let bytes = sample.bytes
    let members = gzipped(Array(bytes[..<1000])) + gzipped(Array(bytes[1000...]))
    let image = try ImageReader.readScan(try scratch.file("m.nii.gz", members))
    #expect(image.findings.isEmpty)
    #expect(image.volume.voxels[1319] == Float(SampleImage.value(1319, sample.extents)))
    let garbage = try ImageReader.readScan(
      try scratch.file("g.nii.gz", gzipped(bytes) + Array("garbage".utf8)))
    #expect(garbage.findings.map(\.check) == ["trailing-garbage"])
    let extra = try ImageReader.readScan(
      try scratch.file("e.nii.gz", gzipped(bytes + [1, 2, 3])))
    #expect(extra.findings.map(\.check) == ["extra-bytes"])
    let plain = try ImageReader.readScan(try scratch.file("e.nii", bytes + [1, 2, 3]))
    #expect(plain.findings.map(\.check) == ["extra-bytes"])
  }

  @Test func namesDoNotDecide() throws {
    let scratch = try Scratch()
    let packed = try ImageReader.readScan(try scratch.file("a.nii", gzipped(sample.bytes)))
    #expect(packed.findings.map(\.check) == ["name"])
    let plain = try ImageReader.readScan(try scratch.file("b.nii.gz", sample.bytes))
    #expect(plain.findings.map(\.check) == ["name"])
    #expect(packed.volume == plain.volume)
    for name in ["with space.nii", "new\nline.nii", "🧠.nii", "-leading.nii"] {
      #expect(try ImageReader.readScan(try scratch.file(name, sample.bytes)).findings.isEmpty)
    }
    let long = String(repeating: "n", count: 251) + ".nii"
    #expect(try ImageReader.readScan(try scratch.file(long, sample.bytes)).findings.isEmpty)
  }

  @Test func shortFiles() throws {
    let bytes = sample.bytes
    guard case .empty? = try error("a.nii", []) else {
      Issue.record("an empty file passed")
      return
    }
    for count in [1, 4, 200, 347] {
      guard case .noRoomForHeader? = try error("a.nii", Array(bytes.prefix(count))) else {
        Issue.record("\(count) bytes passed for a header")
        continue
      }
    }
    for data in [Array(bytes.prefix(352)), bytes.dropLast(1)] {
      guard case .shortData(_, let found, let expected)? = try error("a.nii", data) else {
        Issue.record("cut data passed")
        continue
      }
      #expect(found == data.count && expected == bytes.count)
    }
    guard case .shortData? = try error("a.nii.gz", gzipped(bytes.dropLast(1))) else {
      Issue.record("cut data passed")
      return
    }
  }

  /// A small header and a GiB behind it: refused in little memory.
  @Test func bomb() throws {
    let scratch = try Scratch()
    let path = scratch.path("bomb.nii.gz")
    let file = try AtomicFile(path)
    let gzip = try GzipWriter(file, level: 1)
    try sample.bytes.withUnsafeBytes { try gzip.write($0) }
    let zeros = [UInt8](repeating: 0, count: 1 << 24)
    for _ in 0..<16 { try zeros.withUnsafeBytes { try gzip.write($0) } }
    try gzip.finish()
    try file.commit()
    #expect(throws: ImagingError.overlong(path: path, expected: sample.bytes.count)) {
      try ImageReader.readScan(path)
    }
  }

  @Test func foreignFiles() throws {
    var dicom = [UInt8](repeating: 0, count: 600)
    dicom.replaceSubrange(128..<132, with: Array("DICM".utf8))
    let lfs = Array("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n".utf8)
    let annex = Array("/annex/objects/MD5E-s1--00.nii.gz\n".utf8)
    let html = Array("<!DOCTYPE html>\n<html><body>Please log in</body></html>".utf8)
    let cases: [([UInt8], ForeignContent)] = [
      (dicom, .dicom), (lfs, .lfsPointer), (annex, .annexPointer), (html, .html),
      ([0xff, 0xd8, 0xff, 0xe0] + [UInt8](repeating: 1, count: 400), .jpeg),
      (Array("just some text\n".utf8), .text), (gzipped(Array("packed text\n".utf8)), .text),
    ]
    for (bytes, kind) in cases {
      guard case .foreign(_, kind)? = try error("a.nii.gz", bytes) else {
        Issue.record("not seen as \(kind.rawValue)")
        continue
      }
    }
  }

  @Test func absentThings() throws {
    let scratch = try Scratch()
    let missing = scratch.path("none.nii")
    #expect(throws: ImagingError.file(.missing(path: missing))) {
      try ImageReader.readScan(missing)
    }
    #expect(throws: ImagingError.directory(path: scratch.folder)) {
      try ImageReader.readScan(scratch.folder)
    }
    let link = scratch.path("link.nii")
    try FileManager.default.createSymbolicLink(
      atPath: link, withDestinationPath: ".git/annex/objects/x")
    #expect(throws: ImagingError.file(.brokenLink(path: link, target: ".git/annex/objects/x"))) {
      try ImageReader.readScan(link)
    }
    #expect(throws: ImagingError.notAFile(path: "/dev/null")) {
      try ImageReader.readScan("/dev/null")
    }
    let half = try scratch.file("half.hdr", SampleImage(.int16, singleFile: false).header)
    #expect(throws: ImagingError.missingPart(path: half, expected: scratch.path("half.img"))) {
      try ImageReader.readScan(half)
    }
  }

  /// The other half's ending is in capitals where the given one's is.
  @Test(arguments: [
    ("A.HDR", "A.IMG"), ("A.HDR", "A.img"), ("A.HDR", "A.IMG.gz"), ("A.HDR.GZ", "A.IMG.GZ"),
    ("a.hdr", "a.img.gz"), ("a.hdr.gz", "a.img"),
  ])
  func pairs(header: String, voxels: String) throws {
    let scratch = try Scratch()
    let pair = SampleImage(.int16, singleFile: false)
    func file(_ name: String, _ bytes: [UInt8]) throws -> String {
      try scratch.file(name, name.lowercased().hasSuffix(".gz") ? gzipped(bytes) : bytes)
    }
    let paths = [try file(header, pair.header), try file(voxels, pair.voxels)]
    // Voxels in small letters do not lead to a header in capitals.
    for path in voxels == "A.img" ? Array(paths.prefix(1)) : paths {
      let image = try ImageReader.readScan(path)
      #expect(image.findings.isEmpty, "\(image.findings)")
      #expect(image.volume.voxels[1] == 7)
    }
    try FileManager.default.removeItem(atPath: paths[1])
    let missing = scratch.path(header.hasPrefix("A") ? "A.IMG" : "a.img")
    #expect(throws: ImagingError.missingPart(path: paths[0], expected: missing)) {
      try ImageReader.readScan(paths[0])
    }
  }

  @Test func halvesOfWrongNames() throws {
    let scratch = try Scratch()
    let pair = SampleImage(.int16, singleFile: false)
    let header = try scratch.file("a.hdr", gzipped(pair.header))
    let voxels = try scratch.file("a.img.gz", pair.voxels)
    #expect(
      try ImageReader.readScan(header).findings.map(\.message)
        == ["gzipped and not named .gz", "\(voxels) is named .gz and not gzipped"])
  }

  @Test func pipes() throws {
    let scratch = try Scratch()
    for bytes in [sample.bytes, gzipped(sample.bytes)] {
      let path = scratch.path("pipe-\(bytes.count)")
      #expect(mkfifo(path, 0o600) == 0)
      let feeder = Thread {
        let descriptor = open(path, O_WRONLY)
        _ = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        close(descriptor)
      }
      feeder.start()
      let image = try ImageReader.readScan(path)
      #expect(image.volume.voxels[1] == 7)
    }
  }

  @Test func changedWhileBeingRead() throws {
    let scratch = try Scratch()
    let path = try scratch.file("a.nii", sample.bytes)
    let grown = try InputFile(path)
    try grown.checkUnchanged()
    try Data(sample.bytes + [0]).write(to: URL(fileURLWithPath: path), options: [])
    let changed = ImagingError.file(.changedWhileReading(path: path))
    #expect(throws: changed) { try grown.checkUnchanged() }
    let replaced = try InputFile(path)
    try AtomicFile.write(sample.bytes + [0], to: path)
    #expect(throws: changed) { try replaced.checkUnchanged() }
  }

  /// What a header claims beyond the machine's memory is an error, not the end of the program.
  @Test func noMemory() throws {
    #expect(throws: ImagingError.outOfMemory(bytes: 1 << 60)) { try RawBytes(count: 1 << 60) }
  }
}
