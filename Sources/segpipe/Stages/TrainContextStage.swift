import Anatomy
import Pipelines

/// `kind: train-context`, the network that labels voxels by what lies around them, from label maps and their atlas:
///
///     NAME/context.safetensors   the trained network, ${NAME.context}
///     NAME/log.jsonl             reports on the way, ${NAME.log}
///     NAME/curve.svg             their curves
///
/// A training that was stopped or killed goes on at its last checkpoint.
struct TrainContextStage {
  let context: StageContext
  private static let version = 1

  var kind: StageKind {
    StageKind(
      "train-context",
      keys: [
        .init("maps", .paths, isRequired: true), .init("atlas", .path, isRequired: true),
        .init("hold-out", .text), .init("steps", .integer(1...100_000_000)),
        .init("tiles", .integer(1...10_000)), .init("learning-rate", .number(1e-9...1)),
        .init("seed", .integer(0...Int(Int32.max))), .init("augmentation", .number(0...4)),
        .init("report-every", .integer(1...1_000_000)),
        .init("stop-on-plateau", .integer(1...1_000_000)),
        .init("checkpoint-every", .integer(1...1_000_000)),
      ],
      expand: expand)
  }

  private func expand(_ request: StageRequest) throws -> StageExpansion {
    let settings = Self.settings(request)
    let holdOut = MapInputs.names(request.text("hold-out"))
    let interval = request.integer("checkpoint-every")
    let maps = try MapInputs(request)
    var plan = StagePlan(id: request.name, name: "train-context", version: Self.version)
    plan.parameters =
      StageParameter.all(of: settings)
      + [StageParameter("hold-out", .list(holdOut.map { .text($0) }))]
    plan.inputs = maps.inputs
    if let atlas = request.place("atlas") {
      plan.inputs.append(StageInput("atlas", atlas, isFolder: true))
    }
    let name = request.name
    let training = TrainingStage(context: context, files: TrainingFolder.context)
    let stage = training.stage(plan, in: request.workspace) { [context] place, folder in
      var work = ContextTrainingWork(
        given: try LearningInputs(
          maps: maps.paths, atlas: place.input("atlas"), workspace: place.checkpoints),
        settings: settings, holdOut: holdOut)
      work.checkpointInterval = interval ?? work.checkpointInterval
      return try work.perform(
        in: folder, console: context.console, advance: { context.advance(name, $0) })
    }
    let final = training.outputs(of: name)
    return StageExpansion(
      [stage], results: ["context": .workspace(final.weights), "log": .workspace(final.log)])
  }

  private static func settings(_ request: StageRequest) -> ContextSettings {
    var settings = ContextSettings()
    settings.steps = request.integer("steps") ?? settings.steps
    settings.tiles = request.integer("tiles") ?? settings.tiles
    settings.rate = request.number("learning-rate") ?? settings.rate
    settings.seed = request.integer("seed").map { UInt64($0) } ?? settings.seed
    settings.augmentation = MapAugmentation.Settings(
      strength: request.number("augmentation") ?? 1)
    settings.evaluationInterval = request.integer("report-every") ?? settings.evaluationInterval
    settings.patience = request.integer("stop-on-plateau")
    return settings
  }
}
