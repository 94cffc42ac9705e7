import Anatomy
import Files
import Foundation
import Pipelines
import Synchronization

/// What the stages of one run share, several of which may be worked on at once.
final class StageContext: Sendable {
  private struct Last: Sendable {
    let folder: String
    let stamps: [String: FileStamp]
    let atlas: Atlas
    let learned: LearnedPrior?
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
  func atlas(in folder: String) throws -> Atlas { try read(folder).atlas }

  /// An atlas and the trained prior in its folder, if there is one, read anew only when its files have
  /// changed. Throws: what `AtlasFiles.read` and `LearnedChoice.read` throw.
  func read(_ folder: String) throws -> (atlas: Atlas, learned: LearnedPrior?) {
    try last.withLock { last in
      let stamps = Self.stamps(of: folder)
      if let last, last.folder == folder, last.stamps == stamps {
        return (last.atlas, last.learned)
      }
      let atlas = try AtlasFiles.read(folder)
      let learned = try LearnedChoice.choose(prior: nil, encoder: nil, atlas: .given(folder))?
        .read(for: atlas)
      // The last one only: they are large, and stages come in groups.
      last = Last(folder: folder, stamps: stamps, atlas: atlas, learned: learned)
      return (atlas, learned)
    }
  }

  private static func stamps(of folder: String) -> [String: FileStamp] {
    let files = (try? FileManager.default.subpathsOfDirectory(atPath: folder)) ?? []
    return Dictionary(
      files.compactMap { file in FileStamp(of: folder + "/" + file).map { (file, $0) } }
    ) { first, _ in first }
  }

  /// Every kind of stage that a definition may name.
  var kinds: [StageKind] {
    [
      BuildAtlasStage(context: self).kind, TrainPriorStage(context: self).kind,
      ReportPriorStage(context: self).kind, SegmentStage(context: self).kind,
    ]
  }
}
