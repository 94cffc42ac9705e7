/// What the name of an image file tells, whatever its capitals.
package struct ImageName: Equatable, Sendable {
  /// What a file of a name holds.
  package enum Part: Sendable {
    /// A NIfTI or MGH image.
    case image
    /// The header of an image whose voxels are another file, and those.
    case header, voxels
  }

  /// The path without its ending.
  let stem: String
  /// In the capitals of the path; empty for a name that is no image's.
  let ending: String
  /// `nil` for a name that is no image's.
  package let part: Part?
  private let file: String

  private static let endings: [(text: String, part: Part)] = [
    (".nii", .image), (".nii.gz", .image), (".mgh", .image), (".mgz", .image), (".mgh.gz", .image),
    (".hdr", .header), (".hdr.gz", .header), (".img", .voxels), (".img.gz", .voxels),
  ]

  /// Endings of what is named to have an image read.
  package static var readable: [String] {
    endings.filter { $0.part != .voxels }.map(\.text)
  }

  package init(_ path: String) {
    let lower = path.lowercased()
    let known = Self.endings.first { lower.hasSuffix($0.text) }
    let length = known?.text.count ?? 0
    stem = String(path.dropLast(length))
    ending = String(path.suffix(length))
    part = known?.part
    file = path.split(separator: "/").last.map(String.init) ?? path
  }

  /// The file's name without folder and ending; with it where nothing would be left.
  package var name: String {
    let name = file.dropLast(ending.count)
    return name.isEmpty ? file : String(name)
  }

  /// Sorts the names in a folder into images, in the same order, and a count of what is none. Hidden files
  /// are none; voxels beside their header belong to it and count as neither.
  package static func images(
    among names: [String], isFile: (String) -> Bool
  ) -> (images: [String], others: Int) {
    let visible = names.filter { !$0.hasPrefix(".") }
    let images = visible.filter { name in
      let part = ImageName(name).part
      return part != nil && part != .voxels && isFile(name)
    }
    let stems = Set(images.map { ImageName($0).stem })
    let halves = visible.count {
      let name = ImageName($0)
      return name.part == .voxels && stems.contains(name.stem)
    }
    return (images, names.count - images.count - halves)
  }
}
