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
  /// Asked after every step and every map looked at: true ends the run with a checkpoint.
  package var shouldStop: () -> Bool = { false }
  /// Told of every report.
  package var told: (PriorReport) -> Void = { _ in }
  /// Told of checkpoints that were damaged and passed over.
  package var warned: (any Error) -> Void = { _ in }
  /// Told when all is prepared: from now on `shouldStop` is asked every few seconds at least.
  package var began: () -> Void = {}
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
    if let notes = folder.checkpoints.notes { try checkIdentity(notes) }
    let shown = AlignedMaps(Array(maps.maps.prefix(Self.shownMaps)), in: maps.space)
    let trainer = try PriorTrainer(
      settings, prior: atlas.prior, maps: maps, evaluated: heldOut ?? shown,
      heldOut: heldOut != nil, notes: identity)
    let (restored, damaged) = trainer.restore(folder.checkpoints)
    guard restored != nil || damaged.isEmpty else { throw damaged[0] }
    for error in damaged { warned(error) }
    if restored != nil { resumed(trainer.state.adam.steps) }
    began()
    // What was told after the checkpoint will be told again.
    var reports =
      restored == nil ? [] : folder.reports().filter { $0.step <= trainer.state.adam.steps }
    var saved = restored ?? 0
    // The log comes first: a checkpoint never knows more than it.
    func save() throws {
      let steps = trainer.state.adam.steps
      guard steps > 0 else { return }
      try folder.write(reports)
      if steps != saved { try folder.checkpoints.save(trainer.state) }
      saved = steps
    }
    while true {
      let steps = trainer.state.adam.steps
      if trainer.isEvaluationDue, !reports.contains(where: { $0.isEvaluation(of: steps) }) {
        guard let report = try trainer.evaluate(unless: shouldStop) else {
          try save()
          return .stopped(steps: steps)
        }
        reports.append(report)
        told(report)
      }
      let isPlateau = Self.isPlateau(reports, patience: settings.patience)
      let ends = trainer.isFinished || isPlateau
      let stops = !ends && shouldStop()
      if stops || ends || steps % checkpointInterval == 0 { try save() }
      if ends { return try finish(trainer, isPlateau: isPlateau) }
      if stops { return .stopped(steps: steps) }
      for report in try trainer.step() {
        reports.append(report)
        told(report)
      }
    }
  }

  private func finish(_ trainer: PriorTrainer, isPlateau: Bool) throws -> Ending {
    let steps = trainer.state.adam.steps
    guard let encodings = try trainer.encodings(unless: shouldStop) else {
      return .stopped(steps: steps)
    }
    try PriorFile.write(
      trainer.model, encodings,
      PriorFile.Description(
        settings: settings, atlas: atlas.name, atlasFingerprint: atlas.fingerprint,
        maps: maps.maps.map(\.name), steps: steps, volumes: TrainingVolumes(maps)),
      to: folder.weights)
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
    let identity = identity
    for key in ["atlas", "settings", "maps", "content"] {
      let (found, expected) = (notes[key] ?? "", identity[key] ?? "")
      guard found != expected else { continue }
      let parts = Self.differences(found, expected)
      throw AnatomyError.otherTraining(
        path: folder.checkpoints.path,
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
