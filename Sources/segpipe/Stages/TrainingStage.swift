import Anatomy
import Files
import Foundation
import Imaging
import Pipelines

/// A stage that trains, in the folder of its checkpoints, so that one that was stopped or killed goes on; what
/// was trained, the log and the curves are its outputs.
struct TrainingStage {
  let context: StageContext
  /// A training's files below a folder.
  let files: (String) -> TrainingFolder

  /// Keys that every training has.
  static let keys: [StageKind.Key] = [
    .init("steps", .integer(OptionLimits.steps)),
    .init("learning-rate", .number(OptionLimits.learningRate)),
    .init("seed", .integer(OptionLimits.seed)),
    .init("augmentation", .number(OptionLimits.augmentation)),
    .init("hold-out", .text), .init("report-every", .integer(OptionLimits.steps)),
    .init("stop-on-plateau", .integer(OptionLimits.steps)),
    .init("checkpoint-every", .integer(OptionLimits.steps)),
  ]

  /// Settings with what those keys say.
  static func applied<Settings: TrainingSettings>(
    _ request: StageRequest, to settings: Settings
  ) -> Settings {
    var settings = settings
    settings.steps = request.integer("steps") ?? settings.steps
    settings.rate = request.number("learning-rate") ?? settings.rate
    settings.seed = request.integer("seed").map { UInt64($0) } ?? settings.seed
    settings.augmentation = MapAugmentation.Settings(
      strength: request.number("augmentation") ?? 1)
    settings.evaluationInterval = request.integer("report-every") ?? settings.evaluationInterval
    settings.patience = request.integer("stop-on-plateau")
    return settings
  }

  /// Where the outputs of a stage belong, in the workspace.
  func outputs(of id: String) -> TrainingFolder { files(id) }

  /// `plan` has no outputs yet; `train` is given the folder to train in.
  func stage(
    _ plan: StagePlan, in workspace: Workspace,
    train: @escaping (Workplace, TrainingFolder) throws -> TrainedSteps
  ) -> Stage {
    var plan = plan
    let (id, final) = (plan.id, outputs(of: plan.id))
    plan.outputs = [final.weights, final.log, final.curve].map { StageOutput($0) }
    var stage = Stage(plan) { [context, files] place in
      let folder = files(place.checkpoints)
      try FileManager.default.createDirectory(
        atPath: folder.checkpoints.path, withIntermediateDirectories: true)
      context.console.note("\(id): \(try train(place, folder))")
      let pairs = [
        (folder.weights, final.weights), (folder.log, final.log), (folder.curve, final.curve),
      ]
      for (from, to) in pairs {
        guard let data = FileManager.default.contents(atPath: from) else {
          throw FileError.readFailed(path: from, code: EIO)
        }
        try AtomicFile.write([UInt8](data), to: place.output(to))
      }
    }
    let weights = workspace.path(final.weights)
    stage.mayReplace = { $0 != weights || OutputGuard.isOurs($0) }
    return stage
  }
}

extension StageParameter {
  /// Everything that settings hold, as they themselves tell.
  static func all(of settings: some Encodable) -> [StageParameter] {
    let fields = (try? JSONBytes.encode(settings)).flatMap {
      try? JSONDecoder().decode([String: SettingValue].self, from: $0)
    }
    return (fields ?? [:]).sorted { $0.key < $1.key }.map { StageParameter($0.key, $0.value.json) }
  }

  /// A setting as a parameter's value; one that has parts of its own as text.
  private struct SettingValue: Decodable {
    let json: JSONValue

    init(from decoder: any Decoder) throws {
      if let value = try? JSONValue(from: decoder) {
        json = value
      } else {
        let parts = try [String: SettingValue](from: decoder)
        json = .text(
          parts.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.json)" }
            .joined(separator: ", "))
      }
    }
  }
}
