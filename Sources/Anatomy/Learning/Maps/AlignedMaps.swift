import Imaging

/// The label maps that a prior is learned from, all on one grid and in memory.
package struct AlignedMaps: Sendable {
  package let space: AtlasSpace
  /// In the order of their paths as given.
  package let maps: [AlignedMap]

  /// Reads and aligns maps, one at a time. `progress` is told how many are done.
  ///
  /// - Throws: `AnatomyError.noMaps`, what `AlignedMap` and `read` throw.
  package init(
    _ paths: [String], in space: AtlasSpace, read: (String) throws -> Volume<Int32>,
    progress: (_ done: Int, _ all: Int) -> Void = { _, _ in }
  ) throws {
    guard !paths.isEmpty else { throw AnatomyError.noMaps(path: "") }
    self.space = space
    maps = try paths.enumerated().map { i, path in
      progress(i, paths.count)
      return try AlignedMap(try read(path), path: path, in: space)
    }
    progress(paths.count, paths.count)
  }

  /// Maps that are aligned already, all in `space`.
  package init(_ maps: [AlignedMap], in space: AtlasSpace) {
    self.maps = maps
    self.space = space
  }
}
