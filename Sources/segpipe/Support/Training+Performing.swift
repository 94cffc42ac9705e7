import Anatomy
import Files
import Imaging
import Reports

/// A training whose reports people can read.
protocol ReportedTraining: Training {
  associatedtype Curve: TrainingCurve where Curve.Report == Report
}

extension PriorTraining: ReportedTraining { typealias Curve = PriorCurve }
extension ContextTraining: ReportedTraining { typealias Curve = ContextCurve }
extension EncoderTraining: ReportedTraining { typealias Curve = EncoderCurve }

extension ReportedTraining {
  /// Trains to the end, or until the program is asked to stop, tells the console of everything, and draws the
  /// curves. `advance` is told how much is done, 0...1.
  ///
  /// - Throws: what `run` throws; `StoppedBySignal`.
  func perform(
    _ console: Console, checkpointInterval: Int?, advance: @escaping (Double) -> Void
  ) throws -> TrainedSteps {
    var training = self
    training.checkpointInterval = checkpointInterval ?? training.checkpointInterval
    training.hooks.began = { Interruption.cooperate() }
    training.hooks.shouldStop = { Interruption.signal != nil }
    training.hooks.resumed = { console.note("going on after step \($0)") }
    training.hooks.warned = {
      console.warn("\(Diagnosis(of: $0).message); an earlier checkpoint is used")
    }
    training.hooks.told = { [steps = settings.steps] report in
      advance(Double(report.step) / Double(steps))
      if let text = Curve.sentence(of: report) { console.note(text) }
    }
    defer { Interruption.endCooperation() }
    let ending = try training.run()
    try AtomicFile.write(Array(Curve.svg(folder.reports()).utf8), to: folder.curve)
    switch ending {
    case .stopped(let steps): throw StoppedBySignal(steps: steps, signal: Interruption.signal)
    case .finished(let steps, let isPlateau):
      return TrainedSteps(count: steps, isPlateau: isPlateau)
    }
  }
}

/// How many steps a training took, and whether it ended because it gained no more.
struct TrainedSteps: CustomStringConvertible {
  let count: Int
  let isPlateau: Bool

  var description: String { "trained for \(count) steps" + (isPlateau ? ", to a plateau" : "") }
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

/// A training on an atlas and label maps, in a folder that may hold what a stopped one left: the work that commands
/// and stages share.
struct MapTrainingWork<T: MapTraining & ReportedTraining> {
  let given: LearningInputs
  let settings: T.Settings
  /// Names of maps that are only looked at.
  let holdOut: [String]
  var reading = ReadOptions()
  /// Steps between two checkpoints; nil: as many as usual.
  var checkpointInterval: Int?

  /// `prepared` is called once everything is read; `advance` is told how much is done, 0...1.
  ///
  /// - Throws: `AnatomyError`, `ImagingError`, `NetworkError`, `FileError`; `StoppedBySignal`.
  func perform(
    in folder: TrainingFolder, console: Console, prepared: () -> Void = {},
    advance: @escaping (Double) -> Void
  ) throws -> TrainedSteps {
    let maps = try given.aligned(holdingOut: holdOut, reading: reading, console: console)
    prepared()
    return try T(settings, atlas: given.atlas, maps: maps, folder: folder).perform(
      console, checkpointInterval: checkpointInterval, advance: advance)
  }
}
