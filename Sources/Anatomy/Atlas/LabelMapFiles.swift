import Files
import Foundation
import Imaging

/// The label maps that an atlas is made from, as found among files and folders.
package struct LabelMapFiles: Equatable, Sendable {
  /// A file that is another name of one that is used.
  package struct Repeated: Equatable, Sendable {
    package let path: String
    package let used: String
  }

  /// Label maps, ascending by name, whatever order they were given in.
  package let paths: [String]
  /// Entries of folders that are no images by their names.
  package let ignored: Int
  /// Left out: hard or symbolic links to files in `paths`.
  package let repeated: [Repeated]

  /// Lists files, and the NIfTI and MGH files of folders (not of folders in them).
  ///
  /// - Throws: `FileError` for what is not there, `AnatomyError.noMaps` when nothing is left,
  ///   `AnatomyError.sameName` for different files of one name, which tells subjects apart.
  package init(_ inputs: [String]) throws {
    var found: [String] = []
    var ignored = 0
    for input in inputs {
      guard Self.isFolder(input) else {
        found.append(input)
        continue
      }
      let (images, others) = try Self.images(in: input)
      found += images
      ignored += others
    }
    found = Set(found).sorted { (Self.name(of: $0), $0) < (Self.name(of: $1), $1) }
    var used: [FileIdentity: String] = [:]
    var paths: [String] = []
    var repeated: [Repeated] = []
    for path in found {
      guard let identity = FileIdentity(of: path) else {
        throw FileError.opening(path, code: ENOENT)
      }
      if let first = used[identity] {
        repeated.append(Repeated(path: path, used: first))
      } else {
        used[identity] = path
        paths.append(path)
      }
    }
    guard !paths.isEmpty else { throw AnatomyError.noMaps(path: inputs.joined(separator: ", ")) }
    for (name, group) in Dictionary(grouping: paths, by: Self.name).sorted(by: { $0.key < $1.key })
    where group.count > 1 {
      throw AnatomyError.sameName(name, paths: group)
    }
    self.paths = paths
    self.ignored = ignored
    self.repeated = repeated
  }

  /// What a map is known by: its file's name without the format's extension.
  package static func name(of path: String) -> String { ImageName(path).name }

  private static func isFolder(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
    return exists && isFolder.boolValue
  }

  private static func images(in folder: String) throws -> (images: [String], others: Int) {
    let stem = folder.hasSuffix("/") ? folder : folder + "/"
    let found = ImageName.images(among: try Folder.names(in: folder)) { !isFolder(stem + $0) }
    return (found.images.map { stem + $0 }, found.others)
  }
}
