import Anatomy
import Pipelines

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

  private func expansion(
    _ request: StageRequest, _ settings: EncoderSettings, _ intensities: ObservedIntensities
  ) throws -> StageExpansion {
    let work = try EncoderStageWork(context, request, settings, intensities)
    let training = TrainingStage(context: context, files: TrainingFolder.encoder)
    let stage = training.stage(work.plan, in: request.workspace, train: work.train)
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
