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
  /// - Throws: `ImagingError` for what is not there, `AnatomyError.noMaps` when nothing is left,
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
      let identity = try FileIdentity(path)
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
  package static func name(of path: String) -> String {
    let file = path.split(separator: "/").last.map(String.init) ?? path
    let lower = file.lowercased()
    for suffix in extensions where lower.hasSuffix(suffix) {
      return String(file.dropLast(suffix.count))
    }
    return file
  }

  private static let extensions = [".nii.gz", ".nii", ".hdr", ".mgh.gz", ".mgh", ".mgz"]

  private static func isFolder(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
    return exists && isFolder.boolValue
  }

  private static func images(in folder: String) throws -> (images: [String], others: Int) {
    let names: [String]
    do {
      names = try FileManager.default.contentsOfDirectory(atPath: folder)
    } catch {
      throw ImagingError.unreadable(path: folder, code: EACCES)
    }
    let stem = folder.hasSuffix("/") ? folder : folder + "/"
    let images = names.filter { name in
      !name.hasPrefix(".") && extensions.contains { name.lowercased().hasSuffix($0) }
        && !isFolder(stem + name)
    }
    // The second file of a pair belongs to the first.
    let halves = Set(images.filter { $0.lowercased().hasSuffix(".hdr") }.map { name(of: $0) })
    let others = names.filter { name in
      let isHalf = name.lowercased().hasSuffix(".img") && halves.contains(String(name.dropLast(4)))
      return !images.contains(name) && !isHalf
    }
    return (images.map { stem + $0 }, others.count)
  }
}

/// What tells one file from another, whatever its names.
private struct FileIdentity: Hashable {
  let device: UInt64
  let number: UInt64

  init(_ path: String) throws {
    var status = stat()
    guard stat(path, &status) == 0 else {
      if let target = try? FileManager.default.destinationOfSymbolicLink(atPath: path) {
        throw ImagingError.brokenLink(path: path, target: target)
      }
      throw ImagingError.missing(path: path)
    }
    device = UInt64(status.st_dev)
    number = UInt64(status.st_ino)
  }
}
