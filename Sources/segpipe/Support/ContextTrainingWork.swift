import Anatomy
import Files
import Imaging
import Reports

/// Trains a context in a folder that may hold what a stopped training left: the work that command and stage
/// share.
struct ContextTrainingWork {
  let given: LearningInputs
  let settings: ContextSettings
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
    let maps = try given.aligned(
      holdingOut: holdOut, reading: reading, console: console)
    try prepared()
    var work = ContextTraining(settings, atlas: given.atlas, maps: maps, folder: folder)
    work.checkpointInterval = checkpointInterval
    work.hooks = TrainingHooks(
      console, steps: settings.steps, advance: advance, sentence: ContextCurve.sentence)
    defer { Interruption.endCooperation() }
    let ending = try work.run()
    try AtomicFile.write(Array(ContextCurve.svg(folder.reports()).utf8), to: folder.curve)
    return try ending.finished()
  }
}
