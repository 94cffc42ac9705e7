import Anatomy
import Foundation
import Imaging
import Reports

/// What both trainings of an encoder share.
struct EncoderRun {
  let prior: PriorChoice
  let workspace: String
  private let folder: TrainingFolder
  private let start: EncoderFile?
  private let options: EncoderTrainingOptions
  private let outputs: OutputOptions
  private let console: Console

  /// `name` is the folder in the workspace. Checks what can be checked before work begins.
  init(
    _ options: EncoderTrainingOptions, name: String, outputs: OutputOptions, console: Console
  ) throws {
    self.options = options
    self.outputs = outputs
    self.console = console
    workspace = options.prior.workspace ?? AtlasChoice.commonWorkspace
    prior = try PriorChoice.choose(
      prior: options.prior.prior, atlas: options.prior.atlas, workspace: options.prior.workspace)
    folder = .encoder(options.training.output ?? workspace + "/" + name)
    start = try Self.start(
      options.start, pretrained: .encoder(workspace + "/" + PretrainEncoderCommand.folder),
      isPretraining: name == PretrainEncoderCommand.folder, prior: prior, console)
    try OutputGuard.check(
      folder.weights, overwrite: outputs.overwrite,
      inputs: [prior.file] + [options.start].compactMap { $0 })
  }

  /// The encoder to start from: the one given; else, after pretraining, the one that it left in the
  /// workspace for this prior.
  private static func start(
    _ given: String?, pretrained: TrainingFolder, isPretraining: Bool, prior: PriorChoice,
    _ console: Console
  ) throws -> EncoderFile? {
    if let given { return try EncoderFile(given) }
    guard !isPretraining, FileManager.default.fileExists(atPath: pretrained.weights) else {
      return nil
    }
    let found = try EncoderFile(pretrained.weights)
    guard try found.description.decoder == PriorFile(prior.file).decoderDigest() else {
      console.note("\(pretrained.weights): not started from, it is of another prior")
      return nil
    }
    console.note("starts from \(pretrained.weights)")
    return found
  }

  /// Says which prior and atlas are used, and refuses what would take more memory than there is. Throws as
  /// `EncoderTraining.checkMemory`.
  func begin(_ atlas: Atlas, maps: LearningInputs?, scans: ScanList?) throws {
    console.note(prior.words(for: atlas))
    try EncoderTraining.checkMemory(
      through: try PriorFile(prior.file), atlas, maps: maps?.files.paths.count ?? 0,
      scans: scans?.paths.count ?? 0, available: Machine.current().memoryToBeHad)
  }

  /// Scans brought to the atlas.
  func observed(
    _ scans: ScanList, _ intensities: ObservedIntensities, known: IntensityFile? = nil,
    atlas: Atlas, reading: ReadOptions
  ) throws -> [EncoderTraining.Inputs.NamedScan] {
    let progress = console.progress("reading scans")
    defer { progress.finish() }
    return try EncoderTraining.Inputs.observed(
      scans.paths, intensities, atlas: atlas, reading: reading, console: console, known: known,
      advance: { progress.update($0) })
  }

  func train(
    _ settings: EncoderSettings, atlas: Atlas, _ inputs: EncoderTraining.Inputs
  ) throws {
    if outputs.overwrite { folder.clear() }
    let progress = console.progress("training the encoder")
    let training = EncoderTraining(
      settings, atlas: atlas, prior: try PriorFile(prior.file), start: start, inputs: inputs,
      folder: folder)
    let steps = try training.perform(
      console, checkpointInterval: options.training.checkpointInterval,
      advance: { progress.update($0) })
    progress.finish()
    console.note("\(folder.weights): \(steps)")
  }
}
