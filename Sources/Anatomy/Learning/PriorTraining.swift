import Files
import Foundation
import Networks

/// A training of the prior auto-encoder from its files to its files: takes up what a stopped one left,
/// writes checkpoints and the log, and in the end the trained prior.
package struct PriorTraining {
  package let settings: PriorSettings
  package let atlas: Atlas
  package let maps: AlignedMaps
  /// Maps to report on; nil: some of `maps`.
  package let heldOut: AlignedMaps?
  package let folder: TrainingFolder
  /// Steps between two checkpoints.
  package var checkpointInterval = 250
  package var hooks = TrainingHooks<PriorReport>()

  package init(
    _ settings: PriorSettings, atlas: Atlas, maps: AlignedMaps, heldOut: AlignedMaps?,
    folder: TrainingFolder
  ) {
    self.settings = settings
    self.atlas = atlas
    self.maps = maps
    self.heldOut = heldOut
    self.folder = folder
  }

  /// Maps of the training reported on where none are held out.
  private static let shownMaps = 3

  /// Trains to the end or until asked to stop. Throws `AnatomyError.otherTraining`, `NetworkError`,
  /// `FileError`.
  package func run() throws -> TrainingEnding {
    let identity = identity
    try TrainingIdentity(identity).check(folder.checkpoints)
    let shown = AlignedMaps(Array(maps.maps.prefix(Self.shownMaps)), in: maps.space)
    let trainer = try PriorTrainer(
      settings, prior: atlas.prior, maps: maps, evaluated: heldOut ?? shown,
      heldOut: heldOut != nil, notes: identity)
    let ending = try TrainingLoop(
      trainer: trainer, folder: folder,
      checkpointInterval: checkpointInterval, patience: settings.patience,
      leastGain: PriorSettings.leastGain, hooks: hooks
    ).run()
    guard case .finished(let steps, _) = ending else { return ending }
    return try finish(trainer) ? ending : .stopped(steps: steps)
  }

  /// Writes the trained prior; false if asked to stop meanwhile.
  private func finish(_ trainer: PriorTrainer) throws -> Bool {
    guard let encodings = try trainer.encodings(unless: hooks.shouldStop) else { return false }
    try PriorFile.write(
      trainer.model, encodings,
      PriorFile.Description(
        settings: settings, atlas: atlas.name, atlasFingerprint: atlas.fingerprint,
        maps: maps.maps.map(\.name), steps: trainer.state.adam.steps,
        volumes: TrainingVolumes(maps)),
      to: folder.weights)
    return true
  }

  // MARK: What a checkpoint belongs to

  /// Everything but the number of steps that decides what a step does.
  private var identity: [String: String] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    let text = (try? encoder.encode(settings)).map { String(decoding: $0, as: UTF8.self) }
    return [
      "settings": text ?? "", "atlas": "\(atlas.name) \(atlas.fingerprint)",
      "maps": maps.maps.map(\.name).joined(separator: ", "),
      "content": Self.digest(maps),
    ]
  }

  static func digest(_ maps: AlignedMaps) -> String {
    var hash = SHA256()
    for map in maps.maps { map.channels.withUnsafeBytes { hash.update($0) } }
    return hash.hexadecimal
  }
}
