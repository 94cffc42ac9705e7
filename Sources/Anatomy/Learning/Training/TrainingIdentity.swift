import Foundation
import Networks

/// Everything that decides what a step of a training does, the number of steps among it, for the learning rate falls
/// towards the last; checkpoints carry it in their notes.
struct TrainingIdentity {
  private let values: [String: String]

  init(_ values: [String: String]) { self.values = values }

  /// What a training on an atlas and label maps alone depends on.
  static func values(
    _ settings: some TrainingSettings, atlas: Atlas, maps: AlignedMaps
  ) throws -> [String: String] {
    [
      "settings": try settings.sortedJSON(), "atlas": "\(atlas.name) \(atlas.fingerprint)",
      "label table": atlas.prior.table.digest,
      "maps": maps.maps.map(\.name).joined(separator: ", "), "content": maps.digest(),
    ]
  }

  /// Throws `AnatomyError.otherTraining` if a checkpoint is there of a training that was begun otherwise:
  /// before anything is prepared, and before hours are spent.
  func check(_ checkpoints: CheckpointFolder) throws {
    guard let notes = checkpoints.notes else { return }
    let first = ["atlas", "label table", "decoder", "start", "settings"]
    let rest = values.keys.filter { !first.contains($0) }.sorted(by: >)
    for key in first.filter({ values[$0] != nil }) + rest {
      let (found, expected) = (notes[key] ?? "", values[key] ?? "")
      guard found != expected else { continue }
      let parts = Self.differences(found, expected)
      throw AnatomyError.otherTraining(
        path: checkpoints.path,
        what: parts ?? "\(key) \(found.isEmpty ? "not noted" : found), now \(expected)")
    }
  }

  /// Where two texts are JSON objects: which of their values differ.
  private static func differences(_ found: String, _ expected: String) -> String? {
    func values(_ text: String) -> [String: NSObject]? {
      try? JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: NSObject]
    }
    guard let (old, new) = values(found).flatMap({ old in values(expected).map { (old, $0) } })
    else { return nil }
    let keys = Set(old.keys).union(new.keys).filter { old[$0] != new[$0] }.sorted()
    func text(_ value: NSObject?) -> String { value.map { "\($0)" } ?? "none" }
    return keys.map { "\($0) \(text(old[$0])), now \(text(new[$0]))" }.joined(separator: "; ")
  }
}
