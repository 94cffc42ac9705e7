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
  package let folder: PriorFolder
  /// Steps between two checkpoints.
  package var checkpointInterval = 250
  /// Asked after every step: true ends the run with a checkpoint.
  package var shouldStop: () -> Bool = { false }
  /// Told of every report.
  package var told: (PriorReport) -> Void = { _ in }
  /// Told of checkpoints that were damaged and passed over.
  package var warned: (any Error) -> Void = { _ in }
  /// Told how far a resumed training had come.
  package var resumed: (_ step: Int) -> Void = { _ in }

  package init(
    _ settings: PriorSettings, atlas: Atlas, maps: AlignedMaps, heldOut: AlignedMaps?,
    folder: PriorFolder
  ) {
    self.settings = settings
    self.atlas = atlas
    self.maps = maps
    self.heldOut = heldOut
    self.folder = folder
  }

  /// How a run ended.
  package enum Ending: Equatable, Sendable {
    /// All steps taken, or a plateau reached.
    case finished(steps: Int, plateau: Bool)
    /// Asked to stop; a checkpoint holds everything.
    case stopped(steps: Int)
  }

  /// Maps of the training reported on where none are held out.
  private static let shownMaps = 3

  /// Trains to the end or until asked to stop. Throws `AnatomyError.otherTraining`, `NetworkError`,
  /// `FileError`.
  package func run() throws -> Ending {
    let shown = AlignedMaps(Array(maps.maps.prefix(Self.shownMaps)), in: maps.space)
    let trainer = try PriorTrainer(
      settings, prior: atlas.prior, maps: maps, evaluated: heldOut ?? shown,
      heldOut: heldOut != nil, notes: identity)
    let (restored, damaged) = trainer.restore(folder.checkpoints)
    for error in damaged { warned(error) }
    guard restored != nil || damaged.isEmpty else { throw damaged[0] }
    if restored != nil {
      try checkIdentity(trainer.state.notes)
      resumed(trainer.state.adam.steps)
    }
    // What was told after the checkpoint will be told again.
    var reports = folder.reports().filter { $0.step <= trainer.state.adam.steps }
    if restored == nil { reports = [] }
    var isPlateau = Self.isPlateau(reports, patience: settings.patience)
    while !trainer.isFinished, !isPlateau {
      for report in try trainer.step() {
        reports.append(report)
        told(report)
        if case .evaluation = report {
          isPlateau = Self.isPlateau(reports, patience: settings.patience)
        }
      }
      let steps = trainer.state.adam.steps
      let stops = shouldStop()
      if stops || steps % checkpointInterval == 0 || trainer.isFinished || isPlateau {
        try folder.checkpoints.save(trainer.state)
        try folder.write(reports)
      }
      if stops, !trainer.isFinished, !isPlateau { return .stopped(steps: steps) }
    }
    let steps = trainer.state.adam.steps
    try PriorFile.write(
      trainer.model, try trainer.encodings(),
      PriorFile.Description(
        settings: settings, atlas: atlas.name, atlasFingerprint: atlas.fingerprint,
        maps: maps.maps.map(\.name), steps: steps), to: folder.weights)
    return .finished(steps: steps, plateau: isPlateau)
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

  private func checkIdentity(_ notes: [String: String]) throws {
    for (key, expected) in identity.sorted(by: { $0.key < $1.key })
    where notes[key] != expected {
      throw AnatomyError.otherTraining(
        path: folder.checkpoints.path,
        what: "\(key) were \(notes[key] ?? "not noted"), now \(expected)")
    }
  }

  private static func digest(_ maps: AlignedMaps) -> String {
    var hash = SHA256()
    for map in maps.maps { map.channels.withUnsafeBytes { hash.update($0) } }
    return hash.hexadecimal
  }

  /// Whether the last `patience` evaluations brought nothing beyond the best before them.
  static func isPlateau(_ reports: [PriorReport], patience: Int?) -> Bool {
    guard let patience else { return false }
    let dice = reports.compactMap { report -> Double? in
      if case .evaluation(let evaluation) = report { return evaluation.dice }
      return nil
    }
    guard dice.count > patience, let last = dice.suffix(patience).max(),
      let before = dice.dropLast(patience).max()
    else { return false }
    return last < before + PriorSettings.leastGain
  }
}
