import Anatomy
import Pipelines

/// What the stages of one run share.
final class StageContext {
  let console: Console
  /// Told how much of the stage that runs is done, 0...1.
  var advance: (Double) -> Void = { _ in }
  private var atlases: [String: Atlas] = [:]

  init(console: Console) { self.console = console }

  /// An atlas, read once. Throws: what `AtlasFiles.read` throws.
  func atlas(in folder: String) throws -> Atlas {
    if let atlas = atlases[folder] { return atlas }
    let atlas = try AtlasFiles.read(folder)
    // The last one only: they are large, and stages come in groups.
    atlases = [folder: atlas]
    return atlas
  }

  /// Every kind of stage that a definition may name.
  var kinds: [StageKind] {
    [BuildAtlasStage(context: self).kind, SegmentStage(context: self).kind]
  }
}
