import Anatomy
import Files
import Imaging
import Reports

/// Trains a prior auto-encoder in a folder that may hold what a stopped training left: the work that command
/// and stage share.
struct PriorTrainingWork {
  let given: LearningInputs
  let settings: PriorSettings
  /// Names of maps that are only looked at.
  let holdOut: [String]
  var reading = ReadOptions()
  /// Steps between two checkpoints.
  var checkpointInterval = 250

  /// Trains to the end, or until the program is asked to stop, and draws the curves. `prepared` is called
  /// once everything is read; `advance` is told how much is done, 0...1.
  ///
  /// - Throws: `AnatomyError`, `ImagingError`, `NetworkError`, `FileError`; `StoppedBySignal`.
  func perform(
    in folder: TrainingFolder, console: Console, prepared: () throws -> Void = {},
    advance: @escaping (Double) -> Void
  ) throws -> (steps: Int, isPlateau: Bool) {
    let (kept, heldOut) = try given.aligned(
      holdingOut: holdOut, reading: reading, console: console)
    try prepared()
    var work = PriorTraining(
      settings, atlas: given.atlas, maps: kept, heldOut: heldOut, folder: folder)
    work.checkpointInterval = checkpointInterval
    work.hooks = TrainingHooks(
      console, steps: settings.steps, advance: advance,
      sentence: { report in
        if case .evaluation(let evaluation) = report {
          PriorCurve.sentence(of: evaluation)
        } else {
          nil
        }
      })
    defer { Interruption.endCooperation() }
    let ending = try work.run()
    try AtomicFile.write(Array(PriorCurve.svg(folder.reports()).utf8), to: folder.curve)
    return try ending.finished()
  }
}

extension TrainingHooks {
  /// Stops at a signal and tells the console of everything; `sentence` puts a report in words.
  init(
    _ console: Console, steps: Int, advance: @escaping (Double) -> Void,
    sentence: @escaping (Report) -> String?
  ) {
    self.init()
    began = { Interruption.cooperate() }
    shouldStop = { Interruption.signal != nil }
    resumed = { console.note("going on after step \($0)") }
    warned = { console.warn("\(Diagnosis(of: $0).message); an earlier checkpoint is used") }
    told = { report in
      advance(Double(report.step) / Double(steps))
      if let text = sentence(report) { console.note(text) }
    }
  }
}

extension TrainingEnding {
  /// Steps taken, and whether a plateau was reached. Throws `StoppedBySignal`.
  func finished() throws -> (steps: Int, isPlateau: Bool) {
    switch self {
    case .stopped(let steps): throw StoppedBySignal(steps: steps, signal: Interruption.signal)
    case .finished(let steps, let plateau): return (steps, plateau)
    }
  }
}

/// A training that was asked to stop, and can go on.
struct StoppedBySignal: Diagnosable, Equatable {
  let steps: Int
  let signal: Int32?

  var diagnosis: Diagnosis {
    Diagnosis(
      "stopped after step \(steps)", hint: "Repeat the command to go on from there.",
      status: signal == 2 ? .interrupted : .terminated)
  }
}
