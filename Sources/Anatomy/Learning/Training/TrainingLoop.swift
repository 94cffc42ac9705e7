import Files
import Foundation
import Networks

/// What a training tells on its way, one line of JSON each.
package protocol TrainingReport: Codable, Sendable {
  /// Steps taken when it was told.
  var step: Int { get }
  /// How good whole inputs are after these steps, more being better; nil for reports of the loss alone.
  var score: Double? { get }
}

/// Something that is trained in steps which depend on `state` alone, so that a training which was stopped
/// goes on as if it had not been.
protocol Trainer<Report>: AnyObject {
  associatedtype Report: TrainingReport
  /// Steps taken are `state.adam.steps`.
  var state: TrainingState { get }
  /// Whether all steps are taken.
  var isFinished: Bool { get }
  /// Whether whole inputs are to be looked at after the steps taken.
  var isEvaluationDue: Bool { get }
  /// Takes up the newest whole checkpoint; returns its step, if there is one, and what was wrong with
  /// newer ones.
  func restore(_ folder: CheckpointFolder) -> (steps: Int?, damaged: [any Error])
  /// One step; returns what is to be told of the loss after it.
  func step() throws -> [Report]
  /// Looks at whole inputs; nil if asked to stop meanwhile, or if there is nothing to look at.
  func evaluate(unless shouldStop: () -> Bool) throws -> Report?
}

/// Who is asked and told while something is trained.
package struct TrainingHooks<Report: TrainingReport> {
  /// Asked after every step and every input looked at: true ends the run with a checkpoint.
  package var shouldStop: () -> Bool = { false }
  /// Told of every report.
  package var told: (Report) -> Void = { _ in }
  /// Told of checkpoints that were damaged and passed over.
  package var warned: (any Error) -> Void = { _ in }
  /// Told when all is prepared: from now on `shouldStop` is asked every few seconds at least.
  package var began: () -> Void = {}
  /// Told how far a resumed training had come.
  package var resumed: (_ step: Int) -> Void = { _ in }

  package init() {}
}

/// How a training ended.
package enum TrainingEnding: Equatable, Sendable {
  /// All steps taken, or a plateau reached.
  case finished(steps: Int, plateau: Bool)
  /// Asked to stop; a checkpoint holds everything.
  case stopped(steps: Int)
}

/// Runs a training from its files to its files: takes up what a stopped one left, writes checkpoints and
/// the log.
struct TrainingLoop<T: Trainer> {
  let trainer: T
  let folder: TrainingFolder
  /// Steps between two checkpoints.
  let checkpointInterval: Int
  /// Reports in a row without a gain of `leastGain` that end it.
  let patience: Int?
  let leastGain: Double
  let hooks: TrainingHooks<T.Report>

  /// Trains to the end or until asked to stop. Throws `NetworkError`, `FileError`.
  func run() throws -> TrainingEnding {
    let (restored, damaged) = trainer.restore(folder.checkpoints)
    guard restored != nil || damaged.isEmpty else { throw damaged[0] }
    for error in damaged { hooks.warned(error) }
    if restored != nil { hooks.resumed(trainer.state.adam.steps) }
    hooks.began()
    // What was told after the checkpoint will be told again.
    var reports: [T.Report] =
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
      if trainer.isEvaluationDue,
        !reports.contains(where: { $0.score != nil && $0.step == steps })
      {
        guard let report = try trainer.evaluate(unless: hooks.shouldStop) else {
          try save()
          return .stopped(steps: steps)
        }
        reports.append(report)
        hooks.told(report)
      }
      let isPlateau = Self.isPlateau(reports, patience: patience, leastGain: leastGain)
      let ends = trainer.isFinished || isPlateau
      let stops = !ends && hooks.shouldStop()
      if stops || ends || steps % checkpointInterval == 0 { try save() }
      if ends { return .finished(steps: steps, plateau: isPlateau) }
      if stops { return .stopped(steps: steps) }
      for report in try trainer.step() {
        reports.append(report)
        hooks.told(report)
      }
    }
  }

  /// Whether the last `patience` evaluations brought nothing beyond the best before them.
  static func isPlateau(_ reports: [T.Report], patience: Int?, leastGain: Double) -> Bool {
    guard let patience else { return false }
    let scores = reports.compactMap(\.score)
    guard scores.count > patience, let last = scores.suffix(patience).max(),
      let before = scores.dropLast(patience).max()
    else { return false }
    return last < before + leastGain
  }
}
