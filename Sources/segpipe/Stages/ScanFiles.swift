import Imaging

/// The files that one scan is made of.
enum ScanFiles {
  /// The voxels of an image of two files, given its header; nil for an image of one.
  static func voxels(of path: String) -> String? {
    ImageName(path).part == .header ? try? ImagePair.voxelPath(of: path) : nil
  }
}
