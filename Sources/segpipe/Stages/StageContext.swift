import Anatomy
import Files
import Foundation
import Pipelines
import Synchronization

/// What the stages of one run share, several of which may be worked on at once.
final class StageContext: Sendable {
  /// The files that scans are read by.
  struct AnatomyFiles: Hashable, Sendable {
    /// Of the atlas.
    let folder: String
    /// Of a trained prior; nil: that in the atlas's folder, if there is one.
    var prior: String?
    /// Of an encoder of scans; nil: that in the atlas's folder, for the prior that is there.
    var encoder: String?
    /// Of a trained context; nil: that in the atlas's folder.
    var context: String?
  }

  private struct Last: Sendable {
    let files: AnatomyFiles
    let stamps: [String: FileStamp]
    let atlas: Atlas
    let learned: Learned
  }

  let console: Console
  /// Told how much of a stage is done, 0...1, by its id.
  private let listener = Mutex<(@Sendable (String, Double) -> Void)?>(nil)
  private let last = Mutex<Last?>(nil)

  init(console: Console) { self.console = console }

  /// Tells how much of a stage is done, 0...1. May be called from any thread.
  func advance(_ stage: String, _ part: Double) { listener.withLock { $0 }?(stage, part) }

  /// From now on `body` is called when a stage advances.
  func onAdvance(_ body: @escaping @Sendable (_ stage: String, _ part: Double) -> Void) {
    listener.withLock { $0 = body }
  }

  /// An atlas, read anew only when its files have changed. Throws: what `AtlasFiles.read` throws.
  func atlas(in folder: String) throws -> Atlas { try read(AnatomyFiles(folder: folder)).atlas }

  /// An atlas and what was trained for it, read anew only when files have changed. Throws: what `AtlasFiles.read`,
  /// `LearnedChoice.choose` and `LearnedChoice.read` throw.
  func read(_ files: AnatomyFiles) throws -> (atlas: Atlas, learned: Learned) {
    try last.withLock { last in
      let stamps = Self.stamps(of: files)
      if let last, last.files == files, last.stamps == stamps { return (last.atlas, last.learned) }
      let size = try AtlasFiles.size(of: files.folder)
      let memory = SegmentationMemory(
        atlas: size.voxels, labels: size.labels, readsAnatomy: false, usesContext: false)
      try MemoryGuard(memory).checkAtlas(files.folder)
      let atlas = try AtlasFiles.read(files.folder)
      // Beside a prior that was named nothing is looked for: the stage would not know of it. It knows of the atlas's
      // folder.
      let choice =
        try files.prior.map {
          LearnedChoice(
            prior: $0, encoder: files.encoder,
            context: files.context ?? LearnedChoice.context(in: files.folder))
        }
        ?? LearnedChoice.choose(
          prior: nil, encoder: files.encoder, context: files.context,
          atlas: .given(files.folder))
      let learned = try choice.read(for: atlas)
      // The last one only: they are large, and stages come in groups.
      last = Last(files: files, stamps: stamps, atlas: atlas, learned: learned)
      return (atlas, learned)
    }
  }

  private static func stamps(of files: AnatomyFiles) -> [String: FileStamp] {
    let inFolder = (try? Folder.files(in: files.folder)) ?? []
    let paths =
      inFolder.map { files.folder + "/" + $0 }
      + [files.prior, files.encoder, files.context].compactMap { $0 }
    return Dictionary(paths.compactMap { path in FileStamp(of: path).map { (path, $0) } }) {
      first, _ in first
    }
  }

  /// Every kind of stage that a definition may name.
  var kinds: [StageKind] {
    [
      BuildAtlasStage(context: self).kind, MapTrainingStages(context: self).prior,
      ReportPriorStage(context: self).kind, EncoderStages(context: self).pretraining,
      EncoderStages(context: self).training, ReportEncoderStage(context: self).kind,
      MapTrainingStages(context: self).network, SegmentStage(context: self).kind,
    ]
  }
}
