import Foundation

/// Which trained prior a command works with, and the atlas that it belongs to.
package struct PriorChoice: Equatable, Sendable {
  package let source: AtlasChoice.Source
  /// The file of the trained prior.
  package let file: String
  package let atlas: AtlasChoice

  /// The given prior; else that beside the given atlas; else the workspace's, with the workspace's
  /// atlas; else that beside the built-in atlas. A given atlas goes with any of them. A workspace that is named, or
  /// that holds the atlas, is meant: nothing built-in takes the place of what it lacks.
  ///
  /// - Throws: `AnatomyError.noPrior` when there is none, `AtlasLocationError` when the built-in atlas
  ///   is not found.
  package static func choose(
    prior: String?, atlas: String?, workspace: String?, locator: AtlasLocator = AtlasLocator()
  ) throws -> PriorChoice {
    if let prior {
      let atlas = try AtlasChoice.choose(given: atlas, workspace: workspace, locator: locator)
      return PriorChoice(source: .given, file: prior, atlas: atlas)
    }
    var tried: [String] = []
    func found(_ file: String) -> Bool {
      tried.append(file)
      return FileManager.default.fileExists(atPath: file)
    }
    if let atlas, found(atlas + "/" + WeightsName.prior) {
      return PriorChoice(
        source: .given, file: tried[0], atlas: AtlasChoice(source: .given, folder: atlas))
    }
    let place = workspace ?? AtlasChoice.commonWorkspace
    let learned = TrainingFolder.prior(place + "/prior").weights
    let given = atlas.map { AtlasChoice(source: .given, folder: $0) }
    let isMeant =
      workspace != nil || (given == nil && AtlasFiles.isFinished(place + "/atlas"))
    if given != nil || isMeant, found(learned) {
      let own = AtlasChoice(source: .workspace, folder: place + "/atlas")
      return PriorChoice(source: .workspace, file: learned, atlas: given ?? own)
    }
    guard !isMeant else { throw AnatomyError.noPrior(tried: tried) }
    let head = try locator.folder(of: "head")
    guard found(head + "/" + WeightsName.prior) else { throw AnatomyError.noPrior(tried: tried) }
    return PriorChoice(
      source: .builtIn, file: head + "/" + WeightsName.prior,
      atlas: given ?? AtlasChoice(source: .builtIn, folder: head))
  }
}
