import Imaging
import Networks

/// The atlas and the label maps that a learning command works on.
package struct LearningInputs {
  package let atlas: Atlas
  package let files: LabelMapFiles

  /// Maps as given, else those of the workspace's atlas; the atlas as given, else the workspace's.
  ///
  /// - Throws: `AnatomyError.noMaps`, what reading the atlas throws.
  package init(maps: [String], atlas: String?, workspace: String) throws {
    let list = WorkspaceMaps(workspace)
    let paths = maps.isEmpty ? try list.read() : maps
    files = try LabelMapFiles(paths)
    let folder = atlas ?? workspace + "/atlas"
    self.atlas = try AtlasFiles.read(folder)
  }

  /// Checks that a training fits into memory, before anything large is read. `available` bytes are to
  /// be had; nil if that is not known.
  ///
  /// - Throws: `AnatomyError.tooLittleMemory`, `AnatomyError.unfitGrid`.
  package func checkMemory<T: MapTraining>(
    for training: T.Type, _ settings: T.Settings, available: Int?
  ) throws {
    let needed: Int
    do {
      needed = try T.bytes(settings, for: atlas.prior, maps: files.paths.count)
    } catch NetworkError.invalidShape(let reason) {
      throw AnatomyError.unfitGrid(
        atlas: atlas.name, extents: atlas.prior.grid.extents, reason: reason)
    }
    try AnatomyError.checkMemory(needed: needed, available: available)
  }

  /// Reads and aligns the maps; those held out, by name, apart.
  ///
  /// - Throws: `AnatomyError.unknownMaps` for names that no map has, `.allHeldOut` when none is left.
  package func aligned(
    holdingOut names: [String], read: (String) throws -> Volume<Int32>
  ) throws -> TrainingMaps {
    let known = files.paths.map(LabelMapFiles.name)
    let unknown = names.filter { !known.contains($0) }
    guard unknown.isEmpty else { throw AnatomyError.unknownMaps(names: unknown, known: known) }
    let out = files.paths.filter { names.contains(LabelMapFiles.name(of: $0)) }
    guard out.count < files.paths.count else {
      throw AnatomyError.allHeldOut(maps: files.paths.count)
    }
    let space = AtlasSpace(atlas.prior)
    let kept = try AlignedMaps(files.paths.filter { !out.contains($0) }, in: space, read: read)
    return (kept, out.isEmpty ? nil : try AlignedMaps(out, in: space, read: read))
  }
}
