/// Kinds of files that are given by mistake, told by their first bytes.
package enum ForeignContent: String, Sendable, Equatable, CaseIterable {
  case dicom = "a DICOM file"
  case html = "a web page"
  case jpeg = "a JPEG picture"
  case png = "a PNG picture"
  case pdf = "a PDF document"
  case zip = "a zip archive"
  case bzip2 = "a bzip2 file"
  case xz = "an xz file"
  case zstd = "a zstd file"
  case hdf5 = "an HDF5 (MINC-2 or MATLAB) file"
  case nrrd = "an NRRD image"
  case metaImage = "a MetaImage"
  case lfsPointer = "a git-lfs pointer, whose content was not fetched"
  case annexPointer = "a git-annex pointer, whose content was not fetched"
  case gifti = "an XML file (GIFTI, perhaps)"
  case text = "text"
  case zeros = "zeros only"
  case unknown = "no format that is known here"

  /// The kind that content begins like.
  package init(_ head: UnsafeRawBufferPointer) {
    func starts(_ text: String, at offset: Int = 0) -> Bool {
      let bytes = Array(text.utf8)
      guard head.count >= offset + bytes.count else { return false }
      return head[offset..<offset + bytes.count].elementsEqual(bytes)
    }
    func starts(_ bytes: [UInt8]) -> Bool { head.starts(with: bytes) }

    if starts("DICM", at: 128) {
      self = .dicom
    } else if starts([0xff, 0xd8, 0xff]) {
      self = .jpeg
    } else if starts([0x89, 0x50, 0x4e, 0x47]) {
      self = .png
    } else if starts("%PDF") {
      self = .pdf
    } else if starts([0x50, 0x4b, 3, 4]) {
      self = .zip
    } else if starts("BZh") {
      self = .bzip2
    } else if starts([0xfd, 0x37, 0x7a, 0x58, 0x5a]) {
      self = .xz
    } else if starts([0x28, 0xb5, 0x2f, 0xfd]) {
      self = .zstd
    } else if starts([0x89, 0x48, 0x44, 0x46]) {
      self = .hdf5
    } else if starts("NRRD") {
      self = .nrrd
    } else if starts("ObjectType") || starts("NDims") {
      self = .metaImage
    } else if starts("version https://git-lfs") {
      self = .lfsPointer
    } else if starts("/annex/objects/") || starts("../.git/annex") || starts(".git/annex") {
      self = .annexPointer
    } else {
      self = Self.text(head)
    }
  }

  /// Tells kinds of text apart, or none.
  private static func text(_ head: UnsafeRawBufferPointer) -> ForeignContent {
    let sample = head.prefix(512)
    guard !sample.isEmpty else { return .unknown }
    if sample.allSatisfy({ $0 == 0 }) { return .zeros }
    let isText = sample.allSatisfy { ($0 >= 0x20 && $0 != 0x7f) || (9...13).contains($0) }
    guard isText else { return .unknown }
    let beginning = String(decoding: sample, as: UTF8.self).lowercased()
      .drop { $0.isWhitespace || $0 == "\u{feff}" }
    if beginning.hasPrefix("<!doctype html") || beginning.hasPrefix("<html") { return .html }
    return beginning.hasPrefix("<?xml") ? .gifti : .text
  }
}
