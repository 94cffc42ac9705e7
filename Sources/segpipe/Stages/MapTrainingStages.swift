import Anatomy
import Pipelines
import Reports

/// `kind: train-prior`, the auto-encoder that learns how anatomy varies, and `kind: train-context`, the network that
/// labels voxels by what lies around them, from label maps and their atlas:
///
///     NAME/prior.safetensors     what was trained, ${NAME.prior}; or
///     NAME/context.safetensors   ${NAME.context}
///     NAME/log.jsonl             reports on the way, ${NAME.log}
///     NAME/curve.svg             their curves
///
/// A training that was stopped or killed goes on at its last checkpoint.
struct MapTrainingStages {
  let context: StageContext

  private static let keys: [StageKind.Key] = [
    .init("maps", .paths, isRequired: true), .init("atlas", .path, isRequired: true),
  ]

  var prior: StageKind {
    StageKind(
      "train-prior",
      keys: Self.keys + [
        .init("architecture", .choice(PriorSettings.Architecture.allCases.map(\.rawValue))),
        .init("latent-size", .integer(OptionLimits.latentSize)),
        .init("beta", .number(OptionLimits.beta)),
        .init("samples", .integer(OptionLimits.samples)),
      ] + TrainingStage.keys
    ) { request in
      let architecture = request.text("architecture").flatMap(PriorSettings.Architecture.init)
      var settings = PriorSettings(architecture: architecture ?? .warping)
      settings.latentSize = request.integer("latent-size") ?? settings.latentSize
      settings.beta = request.number("beta") ?? settings.beta
      settings.samples = request.integer("samples") ?? settings.samples
      return try expansion(of: PriorTraining.self, settings, result: "prior", version: 1, request)
    }
  }

  var network: StageKind {
    StageKind(
      "train-context",
      keys: Self.keys + [.init("tiles", .integer(OptionLimits.tiles))] + TrainingStage.keys
    ) { request in
      var settings = ContextSettings()
      settings.tiles = request.integer("tiles") ?? settings.tiles
      return try expansion(
        of: ContextTraining.self, settings, result: "context", version: Segmenter.fitVersion,
        request)
    }
  }

  private func expansion<T: MapTraining & ReportedTraining>(
    of type: T.Type, _ settings: T.Settings, result: String, version: Int, _ request: StageRequest
  ) throws -> StageExpansion {
    let settings = TrainingStage.applied(request, to: settings)
    let holdOut = MapInputs.names(request.text("hold-out"))
    let interval = request.integer("checkpoint-every")
    let maps = try MapInputs(request)
    var plan = StagePlan(id: request.name, name: "train-\(result)", version: version)
    plan.parameters =
      StageParameter.all(of: settings)
      + [StageParameter("hold-out", .list(holdOut.map { .text($0) }))]
    plan.inputs = maps.inputs
    if let atlas = request.place("atlas") {
      plan.inputs.append(StageInput("atlas", atlas, isFolder: true))
    }
    let name = request.name
    let training = TrainingStage(context: context, files: T.files)
    let stage = training.stage(plan, in: request.workspace) { [context] place, folder in
      let given = try LearningInputs(
        maps: maps.paths, atlas: place.input("atlas"), workspace: place.checkpoints)
      try given.checkMemory(
        for: T.self, settings, available: Machine.current().memoryToBeHad)
      var work = MapTrainingWork<T>(given: given, settings: settings, holdOut: holdOut)
      work.checkpointInterval = interval
      return try work.perform(
        in: folder, console: context.console, advance: { context.advance(name, $0) })
    }
    let final = training.outputs(of: name)
    return StageExpansion(
      [stage], results: [result: .workspace(final.weights), "log": .workspace(final.log)])
  }
}
