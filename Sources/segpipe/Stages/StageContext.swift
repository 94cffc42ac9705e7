import Anatomy
import Files
import Foundation
import Pipelines

/// What the stages of one run share.
final class StageContext {
  let console: Console
  /// Told how much of the stage that runs is done, 0...1.
  var advance: (Double) -> Void = { _ in }
  private var last: (folder: String, stamps: [String: FileStamp], atlas: Atlas)?

  init(console: Console) { self.console = console }

  /// An atlas, read anew only when its files have changed. Throws: what `AtlasFiles.read` throws.
  func atlas(in folder: String) throws -> Atlas {
    let stamps = Self.stamps(of: folder)
    if let last, last.folder == folder, last.stamps == stamps { return last.atlas }
    let atlas = try AtlasFiles.read(folder)
    // The last one only: they are large, and stages come in groups.
    last = (folder, stamps, atlas)
    return atlas
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
