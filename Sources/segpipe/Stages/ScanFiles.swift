import Imaging

/// The files that one scan is made of.
enum ScanFiles {
  /// The voxels of an image of two files, given its header; nil for an image of one.
  static func voxels(of path: String) -> String? {
    let lower = path.lowercased()
    guard lower.hasSuffix(".hdr") || lower.hasSuffix(".hdr.gz") else { return nil }
    return try? ImagePair.voxelPath(of: path)
  }
}
