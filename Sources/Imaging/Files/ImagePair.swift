import Glibc

/// Names of the two halves of an image whose header and voxels are separate files.
package enum ImagePair {
  /// The header's path when the voxels' is given; the path itself otherwise.
  ///
  /// Throws: `ImagingError.missingPart` when there is no header.
  static func headerPath(of path: String) throws -> String {
    let name = ImageName(path)
    return name.part == .voxels ? try other(of: name, path, "hdr") : path
  }

  /// Where the voxels of a header are. Throws: `ImagingError.missingPart`.
  package static func voxelPath(of headerPath: String) throws -> String {
    try other(of: ImageName(headerPath), headerPath, "img")
  }

  /// The half with the given letters, plain or gzipped; in capitals where the ending of the half that is
  /// known begins with them, else, or where that is not there, in small ones.
  private static func other(
    of name: ImageName, _ path: String, _ letters: String
  ) throws -> String {
    let known = name.ending.dropFirst().prefix(3)
    let capitals = known.isEmpty || known != known.uppercased() ? [] : [letters.uppercased()]
    let spellings = capitals + [letters]
    let candidates = spellings.flatMap {
      ["\(name.stem).\($0)", "\(name.stem).\($0).gz", "\(name.stem).\($0).GZ"]
    }
    guard let found = firstExisting(candidates), found != path else {
      throw ImagingError.missingPart(path: path, expected: candidates[0])
    }
    return found
  }

  private static func firstExisting(_ paths: [String]) -> String? {
    paths.first { access($0, F_OK) == 0 }
  }
}
