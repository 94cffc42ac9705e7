import Files
import Foundation
import Imaging

/// A folder that holds an atlas, or is to hold one: what in it is ours, and may be replaced.
package struct AtlasFolder {
  package let path: String

  package init(_ path: String) { self.path = path }

  /// Makes the folder where it is missing, and throws where an atlas cannot or must not be written to it.
  ///
  /// A folder with anything in it must hold an atlas that segpipe wrote, or parts of one that it was
  /// writing when it was stopped.
  ///
  /// - Throws: `ImagingError.outputExists`, `FileError.cannotCreate`.
  package func check(name: String, overwrite: Bool) throws {
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) {
      guard isFolder.boolValue else { throw FileError.cannotCreate(path: path, code: ENOTDIR) }
      guard overwrite || isOurs else { throw ImagingError.outputExists(path: path) }
    }
    try OutputGuard.check(
      AtlasFiles.descriptionPath(path, name: name), overwrite: true, inputs: [])
  }

  private func names(_ folder: String = "") -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: path + "/" + folder)) ?? []).sorted()
  }

  /// With a description that segpipe wrote; without any, when every file has a name of ours.
  package var isOurs: Bool {
    let descriptions = Self.descriptions(in: path)
    if !descriptions.isEmpty {
      return descriptions.allSatisfy { OutputGuard.isOurs(path + "/" + $0) }
    }
    return names().allSatisfy { name in
      if name == "maps.tsv" || Self.isTemporary(name) { return true }
      guard name.hasPrefix("tpl-") else { return false }
      return names(name).allSatisfy {
        Self.isTemporary($0) || Self.stem(of: $0, in: name) != nil
      }
    }
  }

  private static func isTemporary(_ name: String) -> Bool {
    name.hasPrefix(".segpipe-") && name.hasSuffix(".tmp")
  }

  /// Endings of an atlas's files; the probabilities, which tell whose the others are, come last.
  private static let endings = [
    "_res-1_probseg.tsv", "_res-1_probseg.json", "_volumes.tsv", "_res-1_probseg.nii.gz",
  ]

  /// `tpl-SPACE_atlas-NAME` of a file in the folder `tpl-SPACE`.
  private static func stem(of file: String, in folder: String) -> String? {
    guard file.hasPrefix(folder + "_atlas-"), let ending = endings.first(where: file.hasSuffix)
    else { return nil }
    return String(file.dropLast(ending.count))
  }

  /// Takes the descriptions of older atlases away, after which the folder holds no atlas.
  func removeDescriptions() {
    for name in Self.descriptions(in: path) {
      try? FileManager.default.removeItem(atPath: path + "/" + name)
    }
  }

  /// Removes files that segpipe wrote for other atlases than the one whose files begin with `kept`.
  func removeFiles(except kept: String) {
    for folder in names() where folder.hasPrefix("tpl-") {
      for stem in Set(names(folder).compactMap { Self.stem(of: $0, in: folder) }).sorted() {
        let whole = "\(path)/\(folder)/\(stem)"
        guard whole != kept, OutputGuard.isOurs(whole + "_res-1_probseg.nii.gz") else { continue }
        for ending in Self.endings { try? FileManager.default.removeItem(atPath: whole + ending) }
      }
      if names(folder).isEmpty { rmdir("\(path)/\(folder)") }
    }
  }
}

// MARK: - Descriptions

extension AtlasFolder {
  private static let (prefix, ending) = ("atlas-", "_description.json")

  /// What the description of an atlas is called.
  static func description(of name: String) -> String { prefix + name + ending }

  /// The atlas's name, from what one of `descriptions` is called.
  static func name(fromDescription file: String) -> String {
    String(file.dropFirst(prefix.count).dropLast(ending.count))
  }

  /// The descriptions in a folder, sorted. Each is of an atlas that was written to its end; there is one.
  static func descriptions(in folder: String) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [])
      .filter { $0.hasPrefix(prefix) && $0.hasSuffix(ending) }.sorted()
  }
}
