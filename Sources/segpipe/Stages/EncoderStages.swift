import Anatomy
import Imaging
import Pipelines
import Reports

/// `kind: pretrain-encoder`, an encoder of scans that are drawn from label maps, for a trained prior; and
/// `kind: train-segmenter`, which goes on from there by the likelihood of scans, given, drawn or both:
///
///     NAME/encoder.safetensors   the trained encoder, ${NAME.encoder}
///     NAME/log.jsonl             reports on the way, ${NAME.log}
///     NAME/curve.svg             their curves
///
/// Where neither scans nor maps are given, `train-segmenter` stands for no stage, and `${NAME.encoder}` is what it would
/// have started from. A training that was stopped or killed goes on at its last checkpoint.
struct EncoderStages {
  let context: StageContext
  private static var version: Int { Segmenter.fitVersion }

  private static let keys: [StageKind.Key] =
    [
      .init("atlas", .path, isRequired: true), .init("prior", .path, isRequired: true),
      .init("start", .path), .init("beta", .number(OptionLimits.beta)),
      .init("samples", .integer(OptionLimits.samples)),
    ] + TrainingStage.keys

  var pretraining: StageKind {
    StageKind(
      "pretrain-encoder",
      keys: Self.keys + [.init("maps", .paths, isRequired: true), .init("scans", .paths)]
    ) { request in
      try expansion(request, Self.settings(.simulated, request), .scan)
    }
  }

  var training: StageKind {
    StageKind(
      "train-segmenter",
      keys: Self.keys + [
        .init("maps", .paths), .init("scans", .paths),
        .init("likelihood", .choice(EncoderSettings.Likelihood.allCases.map(\.rawValue))),
        .init("intensities", .choice(ObservedIntensities.allCases.map(\.rawValue))),
        .init("fixed-intensities", .path),
      ]
    ) { request in
      guard !request.places("scans").isEmpty || !request.places("maps").isEmpty else {
        return StageExpansion([], results: ["encoder": request.place("start"), "log": nil])
      }
      var settings = Self.settings(.scans, request)
      settings.likelihood =
        request.text("likelihood").flatMap(EncoderSettings.Likelihood.init) ?? settings.likelihood
      return try expansion(
        request, settings,
        request.text("intensities").flatMap(ObservedIntensities.init) ?? .scan)
    }
  }

  /// Part of the work that reading scans is.
  private static let readingShare = 0.1

  private func expansion(
    _ request: StageRequest, _ settings: EncoderSettings, _ intensities: ObservedIntensities
  ) throws -> StageExpansion {
    let kind = settings.source == .simulated ? "pretrain-encoder" : "train-segmenter"
    let maps = request.places("maps").isEmpty ? nil : try MapInputs(request)
    let scans = request.places("scans").isEmpty ? nil : try ScanInputs(request)
    let names = scans?.named.map(\.name) ?? []
    guard Set(names).count == names.count else {
      throw StageKeyError(
        stage: request.name, key: "scans", expected: "scans of different names")
    }
    guard intensities == .scan || request.place("fixed-intensities") == nil else {
      throw StageKeyError(
        stage: request.name, key: "fixed-intensities",
        expected: "nothing where intensities are those of the data-set")
    }
    let holdOut = MapInputs.names(request.text("hold-out"))
    var plan = StagePlan(id: request.name, name: kind, version: Self.version)
    plan.parameters =
      StageParameter.all(of: settings) + [
        StageParameter("hold-out", .list(holdOut.map { .text($0) })),
        StageParameter("intensities", .text(intensities.rawValue)),
      ]
    plan.inputs = (maps?.inputs ?? []) + (scans?.inputs ?? [])
    let files = [
      ("atlas", true), ("prior", false), ("start", false), ("fixed-intensities", false),
    ]
    for (key, isFolder) in files {
      if let place = request.place(key) {
        plan.inputs.append(StageInput(key, place, isFolder: isFolder))
      }
    }
    let interval = request.integer("checkpoint-every")
    let training = TrainingStage(context: context, files: TrainingFolder.encoder)
    func inputs(
      _ place: Workplace, _ atlas: Atlas, _ prior: PriorFile
    ) throws -> EncoderTraining.Inputs {
      try EncoderTraining.checkMemory(
        through: prior, atlas, maps: maps?.paths.count ?? 0, scans: names.count,
        available: Machine.current().memoryToBeHad)
      let observed = try EncoderTraining.Inputs.observed(
        scans?.named.map(\.path) ?? [], intensities, atlas: atlas, reading: ReadOptions(),
        console: context.console,
        known: try place.input("fixed-intensities").map {
          try IntensityFile($0, for: atlas.prior.table)
        },
        advance: { context.advance(request.name, Self.readingShare * $0) })
      guard let maps else { return EncoderTraining.Inputs(scans: observed) }
      let given = try LearningInputs(
        maps: maps.paths, atlas: place.input("atlas"), workspace: place.checkpoints)
      return try .maps(
        given, holdingOut: holdOut, reading: ReadOptions(), console: context.console,
        scans: observed)
    }
    let stage = training.stage(plan, in: request.workspace) { [context] place, folder in
      let atlas = try context.atlas(in: place.input("atlas") ?? "")
      let prior = try PriorFile(place.input("prior") ?? "")
      let training = EncoderTraining(
        settings, atlas: atlas, prior: prior,
        start: try place.input("start").map { try EncoderFile($0) },
        inputs: try inputs(place, atlas, prior), folder: folder)
      return try training.perform(
        context.console, checkpointInterval: interval,
        advance: {
          context.advance(request.name, Self.readingShare + (1 - Self.readingShare) * $0)
        })
    }
    let final = training.outputs(of: request.name)
    return StageExpansion(
      [stage], results: ["encoder": .workspace(final.weights), "log": .workspace(final.log)])
  }

  private static func settings(
    _ source: EncoderSettings.Source, _ request: StageRequest
  ) -> EncoderSettings {
    var settings = TrainingStage.applied(request, to: EncoderSettings(source))
    settings.beta = request.number("beta") ?? settings.beta
    settings.samples = request.integer("samples") ?? settings.samples
    return settings
  }
}
