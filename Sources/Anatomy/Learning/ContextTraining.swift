import Files
import Foundation
import Networks

/// A training of a `ContextNetwork` from its files to its files: takes up what a stopped one left, writes
/// checkpoints and the log, and in the end the trained network.
package struct ContextTraining {
  package let settings: ContextSettings
  package let atlas: Atlas
  /// Scans are drawn from `kept`; those of `heldOut`, nil: some of the others, are looked at.
  package let maps: (kept: AlignedMaps, heldOut: AlignedMaps?)
  package let folder: TrainingFolder
  /// Steps between two checkpoints.
  package var checkpointInterval = 250
  package var hooks = TrainingHooks<ContextReport>()

  package init(
    _ settings: ContextSettings, atlas: Atlas, maps: (kept: AlignedMaps, heldOut: AlignedMaps?),
    folder: TrainingFolder
  ) {
    self.settings = settings
    self.atlas = atlas
    self.maps = maps
    self.folder = folder
  }

  /// Maps looked at where none are held out.
  private static let shown = 3
  /// A gain in Dice.
  private static let leastGain = 0.001

  /// Trains to the end or until asked to stop. Throws `AnatomyError.otherTraining`, `NetworkError`, `FileError`.
  package func run() throws -> TrainingEnding {
    let identity = try identity
    try TrainingIdentity(identity).check(folder.checkpoints)
    let shown =
      maps.heldOut ?? AlignedMaps(Array(maps.kept.maps.prefix(Self.shown)), in: maps.kept.space)
    let trainer = try ContextTrainer(
      settings, prior: atlas.prior, maps: maps.kept, shown: shown, notes: identity)
    let ending = try TrainingLoop(
      trainer: trainer, folder: folder, checkpointInterval: checkpointInterval,
      patience: settings.patience, leastGain: Self.leastGain, hooks: hooks
    ).run()
    guard case .finished(let steps, _) = ending else { return ending }
    try ContextFile.write(
      trainer.network.parameters,
      ContextFile.Description(
        settings: settings, shape: trainer.network.shape, atlas: atlas.name,
        atlasFingerprint: atlas.fingerprint, maps: maps.kept.maps.map(\.name), steps: steps),
      to: folder.weights)
    return ending
  }

  /// Everything but the number of steps that decides what a step does.
  private var identity: [String: String] {
    get throws {
      let encoder = JSONEncoder()
      encoder.outputFormatting = .sortedKeys
      var hash = SHA256()
      for map in maps.kept.maps { map.channels.withUnsafeBytes { hash.update($0) } }
      return [
        "settings": String(decoding: try encoder.encode(settings), as: UTF8.self),
        "atlas": "\(atlas.name) \(atlas.fingerprint)",
        "maps": maps.kept.maps.map(\.name).joined(separator: ", "), "content": hash.hexadecimal,
      ]
    }
  }
}
