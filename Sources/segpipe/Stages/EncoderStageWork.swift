import Anatomy
import Imaging
import Pipelines
import Reports

/// What a stage that trains an encoder of scans works on, and its work.
struct EncoderStageWork {
  private let context: StageContext
  private let request: StageRequest
  private let settings: EncoderSettings
  private let intensities: ObservedIntensities
  private let maps: MapInputs?
  private let scans: [(name: String, path: String)]
  private let holdOut: [String]
  /// Without outputs.
  let plan: StagePlan

  /// Part of the work that reading scans is.
  private static let readingShare = 0.1

  /// - Throws: `StageKeyError` for keys that do not go together; what reading lists of inputs throws.
  init(
    _ context: StageContext, _ request: StageRequest, _ settings: EncoderSettings,
    _ intensities: ObservedIntensities
  ) throws {
    maps = request.places("maps").isEmpty ? nil : try MapInputs(request)
    let scans = request.places("scans").isEmpty ? nil : try ScanInputs(request)
    self.scans = scans?.named ?? []
    try Self.check(request, scans: self.scans.map(\.name), intensities)
    holdOut = MapInputs.names(request.text("hold-out"))
    (self.context, self.request) = (context, request)
    (self.settings, self.intensities) = (settings, intensities)
    var plan = StagePlan(
      id: request.name,
      name: settings.source == .simulated ? "pretrain-encoder" : "train-segmenter",
      version: Segmenter.fitVersion)
    plan.parameters =
      StageParameter.all(of: settings) + [
        StageParameter("hold-out", .list(holdOut.map { .text($0) })),
        StageParameter("intensities", .text(intensities.rawValue)),
      ]
    plan.inputs = (maps?.inputs ?? []) + (scans?.inputs ?? []) + Self.files(request)
    self.plan = plan
  }

  private static func check(
    _ request: StageRequest, scans names: [String], _ intensities: ObservedIntensities
  ) throws {
    guard Set(names).count == names.count else {
      throw StageKeyError(
        stage: request.name, key: "scans", expected: "scans of different names")
    }
    guard intensities == .scan || request.place("fixed-intensities") == nil else {
      throw StageKeyError(
        stage: request.name, key: "fixed-intensities",
        expected: "nothing where intensities are those of the data-set")
    }
  }

  /// What is read besides maps and scans.
  private static func files(_ request: StageRequest) -> [StageInput] {
    let keys = [
      ("atlas", true), ("prior", false), ("start", false), ("fixed-intensities", false),
    ]
    return keys.compactMap { key, isFolder in
      request.place(key).map { StageInput(key, $0, isFolder: isFolder) }
    }
  }

  // MARK: - Training

  func train(_ place: Workplace, in folder: TrainingFolder) throws -> TrainedSteps {
    let atlas = try context.atlas(in: place.input("atlas") ?? "")
    let prior = try PriorFile(place.input("prior") ?? "")
    let training = EncoderTraining(
      settings, atlas: atlas, prior: prior,
      start: try place.input("start").map { try EncoderFile($0) },
      inputs: try inputs(place, atlas, prior), folder: folder)
    return try training.perform(
      context.console, checkpointInterval: request.integer("checkpoint-every"),
      advance: {
        context.advance(request.name, Self.readingShare + (1 - Self.readingShare) * $0)
      })
  }

  private func inputs(
    _ place: Workplace, _ atlas: Atlas, _ prior: PriorFile
  ) throws -> EncoderTraining.Inputs {
    try EncoderTraining.checkMemory(
      through: prior, atlas, maps: maps?.paths.count ?? 0, scans: scans.count,
      available: Machine.current().memoryToBeHad)
    let observed = try observed(place, atlas)
    guard let maps else { return EncoderTraining.Inputs(scans: observed) }
    let given = try LearningInputs(
      maps: maps.paths, atlas: place.input("atlas"), workspace: place.checkpoints)
    return try .maps(
      given, holdingOut: holdOut, reading: ReadOptions(), console: context.console,
      scans: observed)
  }

  /// The scans, brought to the atlas.
  private func observed(
    _ place: Workplace, _ atlas: Atlas
  ) throws -> [EncoderTraining.Inputs.NamedScan] {
    try EncoderTraining.Inputs.observed(
      scans.map(\.path), intensities, atlas: atlas, reading: ReadOptions(),
      console: context.console,
      known: try place.input("fixed-intensities").map {
        try IntensityFile($0, for: atlas.prior.table)
      },
      advance: { context.advance(request.name, Self.readingShare * $0) })
  }
}
