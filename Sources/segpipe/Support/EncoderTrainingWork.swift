import Anatomy
import Files
import Imaging
import Reports

/// Trains an encoder of scans in a folder that may hold what a stopped training left: the work that commands
/// and stages share.
struct EncoderTrainingWork {
  let settings: EncoderSettings
  let atlas: Atlas
  let prior: PriorFile
  /// Where training starts; nil: with the encoder of label maps that came with the prior.
  let start: EncoderFile?
  let inputs: EncoderTraining.Inputs
  /// Steps between two checkpoints.
  var checkpointInterval = 250

  /// Trains to the end, or until the program is asked to stop, and draws the curves. `advance` is told how
  /// much is done, 0...1.
  ///
  /// - Throws: `AnatomyError`, `NetworkError`, `FileError`; `StoppedBySignal`.
  func perform(
    in folder: TrainingFolder, console: Console, advance: @escaping (Double) -> Void
  ) throws -> (steps: Int, isPlateau: Bool) {
    var work = EncoderTraining(
      settings, atlas: atlas, prior: prior, start: start, inputs: inputs, folder: folder)
    work.checkpointInterval = checkpointInterval
    work.hooks = TrainingHooks(
      console, steps: settings.steps, advance: advance,
      sentence: { report in
        if case .evaluation(let evaluation) = report {
          EncoderCurve.sentence(of: evaluation)
        } else {
          nil
        }
      })
    defer { Interruption.endCooperation() }
    let ending = try work.run()
    try AtomicFile.write(Array(EncoderCurve.svg(folder.reports()).utf8), to: folder.curve)
    return try ending.finished()
  }
}

extension EncoderTraining.Inputs {
  /// Label maps, aligned; those held out, by name, are only looked at. `scans` are learned from beside them.
  ///
  /// - Throws: `AnatomyError`, `ImagingError`.
  static func maps(
    _ given: LearningInputs, holdingOut holdOut: [String], reading: ReadOptions,
    console: Console, scans: [NamedScan] = []
  ) throws -> EncoderTraining.Inputs {
    let maps = try given.aligned(holdingOut: holdOut, reading: reading, console: console)
    return Self(maps: maps, scans: scans)
  }

  /// Scans, registered and observed. `advance` is told how much is done, 0...1.
  ///
  /// - Throws: `AnatomyError`, `ImagingError`.
  static func observed(
    _ paths: [String], _ intensities: ObservedIntensities, atlas: Atlas, reading: ReadOptions,
    console: Console, known: IntensityFile? = nil, advance: (Double) -> Void
  ) throws -> [NamedScan] {
    let segmenter = try Segmenter(prior: atlas.prior)
    var observed = ScanObservations(intensities, known: known)
    for (index, path) in paths.enumerated() {
      let image = try ImageReader.readScan(path, reading)
      console.show(image.findings, of: path)
      try observed.add(image.volume, name: ScanList.name(of: path), path: path, by: segmenter)
      advance(Double(index + 1) / Double(paths.count))
    }
    return observed.all(segmenter)
  }
}
