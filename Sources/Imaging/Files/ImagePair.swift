import Glibc

/// Names of the two halves of an image whose header and voxels are separate files.
package enum ImagePair {
  /// The header's path when the voxels' is given; the path itself otherwise.
  ///
  /// Throws: `ImagingError.missingPart` when there is no header.
  static func headerPath(of path: String) throws -> String {
    guard let (stem, ending) = split(path, [".img", ".img.gz"]) else { return path }
    return try other(of: path, stem, "hdr", like: ending)
  }

  /// Where the voxels of a header are. Throws: `ImagingError.missingPart`.
  package static func voxelPath(of headerPath: String) throws -> String {
    let (stem, ending) =
      split(headerPath, [".hdr", ".hdr.gz", ".nii", ".nii.gz"]) ?? (headerPath, "")
    return try other(of: headerPath, stem, "img", like: ending)
  }

  /// A name without one of some endings, and the ending in the case that it has.
  private static func split(_ path: String, _ endings: [String]) -> (stem: String, ending: String)?
  {
    guard let ending = endings.first(where: { path.lowercased().hasSuffix($0) }) else { return nil }
    return (String(path.dropLast(ending.count)), String(path.suffix(ending.count)))
  }

  /// The half with the given letters, plain or gzipped; in capitals where the ending of the half that is
  /// known begins with them, else, or where that is not there, in small ones.
  private static func other(
    of path: String, _ stem: String, _ letters: String, like ending: String
  ) throws -> String {
    let known = ending.dropFirst().prefix(3)
    let capitals = known.isEmpty || known != known.uppercased() ? [] : [letters.uppercased()]
    let spellings = capitals + [letters]
    let candidates = spellings.flatMap {
      ["\(stem).\($0)", "\(stem).\($0).gz", "\(stem).\($0).GZ"]
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
