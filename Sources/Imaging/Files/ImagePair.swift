import Glibc

/// Names of the two halves of an image whose header and voxels are separate files.
package enum ImagePair {
  /// The header's path when the voxels' is given; the path itself otherwise.
  ///
  /// Throws: `ImagingError.missingPart` when there is no header.
  static func headerPath(of path: String) throws -> String {
    for ending in [".img", ".img.gz"] where path.lowercased().hasSuffix(ending) {
      let stem = String(path.dropLast(ending.count))
      guard let found = firstExisting([stem + ".hdr", stem + ".hdr.gz"]) else {
        throw ImagingError.missingPart(path: path, expected: stem + ".hdr")
      }
      return found
    }
    return path
  }

  /// Where the voxels of a header are. Throws: `ImagingError.missingPart`.
  package static func voxelPath(of headerPath: String) throws -> String {
    var stem = headerPath
    for ending in [".gz", ".hdr", ".nii"] where stem.lowercased().hasSuffix(ending) {
      stem = String(stem.dropLast(ending.count))
    }
    guard let found = firstExisting([stem + ".img", stem + ".img.gz"]), found != headerPath else {
      throw ImagingError.missingPart(path: headerPath, expected: stem + ".img")
    }
    return found
  }

  private static func firstExisting(_ paths: [String]) -> String? {
    paths.first { access($0, F_OK) == 0 }
  }
}
