import Anatomy
import Pipelines

/// `kind: train-prior`, the auto-encoder that learns how anatomy varies, from label maps and their atlas:
///
///     NAME/prior.safetensors   the trained prior, ${NAME.prior}
///     NAME/log.jsonl           reports on the way, ${NAME.log}
///     NAME/curve.svg           their curves
///
/// A training that was stopped or killed goes on at its last checkpoint.
struct TrainPriorStage {
  let context: StageContext
  private static let version = 1

  var kind: StageKind {
    StageKind(
      "train-prior",
      keys: [
        .init("maps", .paths, isRequired: true), .init("atlas", .path, isRequired: true),
        .init("hold-out", .text),
        .init("architecture", .choice(PriorSettings.Architecture.allCases.map(\.rawValue))),
        .init("latent-size", .integer(1...4096)), .init("beta", .number(0...1e6)),
        .init("steps", .integer(1...100_000_000)), .init("learning-rate", .number(1e-9...1)),
        .init("samples", .integer(1...64)), .init("seed", .integer(0...Int(Int32.max))),
        .init("augmentation", .number(0...4)), .init("report-every", .integer(1...1_000_000)),
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
    var plan = StagePlan(id: request.name, name: "train-prior", version: Self.version)
    plan.parameters =
      StageParameter.all(of: settings)
      + [StageParameter("hold-out", .list(holdOut.map { .text($0) }))]
    plan.inputs = maps.inputs
    if let atlas = request.place("atlas") {
      plan.inputs.append(StageInput("atlas", atlas, isFolder: true))
    }
    let name = request.name
    let training = TrainingStage(context: context, files: TrainingFolder.prior)
    let stage = training.stage(plan, in: request.workspace) { [context] place, folder in
      var work = PriorTrainingWork(
        given: try LearningInputs(
          maps: maps.paths, atlas: place.input("atlas"), workspace: place.checkpoints),
        settings: settings, holdOut: holdOut)
      work.checkpointInterval = interval ?? work.checkpointInterval
      return try work.perform(
        in: folder, console: context.console, advance: { context.advance(name, $0) })
    }
    let final = training.outputs(of: name)
    return StageExpansion(
      [stage], results: ["prior": .workspace(final.weights), "log": .workspace(final.log)])
  }

  private static func settings(_ request: StageRequest) -> PriorSettings {
    let architecture = request.text("architecture").flatMap(PriorSettings.Architecture.init)
    var settings = PriorSettings(architecture: architecture ?? .warping)
    settings.latentSize = request.integer("latent-size") ?? settings.latentSize
    settings.beta = request.number("beta") ?? settings.beta
    settings.steps = request.integer("steps") ?? settings.steps
    settings.rate = request.number("learning-rate") ?? settings.rate
    settings.samples = request.integer("samples") ?? settings.samples
    settings.seed = request.integer("seed").map { UInt64($0) } ?? settings.seed
    settings.augmentation = MapAugmentation.Settings(
      strength: request.number("augmentation") ?? 1)
    settings.evaluationInterval = request.integer("report-every") ?? settings.evaluationInterval
    settings.patience = request.integer("stop-on-plateau")
    return settings
  }
}

/// The label maps that a stage learns from.
struct MapInputs {
  let paths: [String]
  let inputs: [StageInput]

  /// From the key `maps`, less those of some names.
  ///
  /// - Throws: what `LabelMapFiles` throws, `AnatomyError.unknownMaps` for names that no map has.
  init(_ request: StageRequest, without names: [String] = []) throws {
    let given = request.places("maps").map { request.workspace.path(of: $0) }
    let all = try LabelMapFiles(given).paths
    let known = all.map { LabelMapFiles.name(of: $0) }
    let unknown = names.filter { !known.contains($0) }
    guard unknown.isEmpty else { throw AnatomyError.unknownMaps(names: unknown, known: known) }
    paths = all.filter { !names.contains(LabelMapFiles.name(of: $0)) }
    inputs =
      paths.map { StageInput("maps/" + LabelMapFiles.name(of: $0), .outside($0)) }
      + paths.compactMap { path in
        ScanFiles.voxels(of: path).map {
          StageInput("voxels/" + LabelMapFiles.name(of: path), .outside($0))
        }
      }
  }

  /// Names of the maps that a page shows: those preferred, else the first ones.
  ///
  /// - Throws: `AnatomyError.unknownMaps` for names that no map has.
  func shown(preferring names: [String], most: Int) throws -> [String] {
    let known = paths.map { LabelMapFiles.name(of: $0) }
    let unknown = names.filter { !known.contains($0) }
    guard unknown.isEmpty else { throw AnatomyError.unknownMaps(names: unknown, known: known) }
    return names.isEmpty ? Array(known.prefix(most)) : names
  }

  /// The files of some maps, by name.
  func inputs(of names: [String]) -> [StageInput] {
    inputs.filter { input in
      names.contains { input.name == "maps/" + $0 || input.name == "voxels/" + $0 }
    }
  }

  /// Names in one text, with spaces or commas between them.
  static func names(_ text: String?) -> [String] {
    (text ?? "").split { $0 == " " || $0 == "," }.map(String.init)
  }
}
