import Anatomy
import Files
import Imaging
import Pipelines
import Reports

/// `kind: report-prior`, a page on a trained prior, `NAME/report.html`: curves of the training, label maps
/// beside their reconstructions, and random anatomies.
struct ReportPriorStage {
  let context: StageContext
  /// Raised when the same inputs and parameters give other files: results of before are then made anew.
  private static let version = 1
  /// Maps that are shown where none are held out.
  private static let shown = 2

  var kind: StageKind {
    StageKind(
      "report-prior",
      keys: [
        .init("maps", .paths, isRequired: true), .init("atlas", .path, isRequired: true),
        .init("prior", .path, isRequired: true), .init("log", .path, isRequired: true),
        .init("hold-out", .text), .init("samples", .integer(0...20)),
      ],
      expand: expand)
  }

  private func expand(_ request: StageRequest) throws -> StageExpansion {
    let maps = try MapInputs(request)
    let holdOut = MapInputs.names(request.text("hold-out"))
    let samples = request.integer("samples") ?? 2
    let shown = try maps.shown(preferring: holdOut, most: Self.shown)

    var plan = StagePlan(id: request.name, name: "report-prior", version: Self.version)
    plan.parameters = [
      StageParameter("samples", .number(Double(samples))),
      StageParameter("hold-out", .list(holdOut.map { .text($0) })),
    ]
    plan.inputs = maps.inputs(of: shown)
    for (key, isFolder) in [("atlas", true), ("prior", false), ("log", false)] {
      if let place = request.place(key) {
        plan.inputs.append(StageInput(key, place, isFolder: isFolder))
      }
    }
    let page = "\(request.name)/report.html"
    plan.outputs = [StageOutput(page)]
    var stage = Stage(plan) { [context] place in
      let atlas = try context.atlas(in: place.input("atlas") ?? "")
      let model = try PriorModel(place.input("prior") ?? "", atlas: atlas)
      let paths = shown.compactMap { name in place.input("maps/" + name).map { (name, $0) } }
      let bytes = try Self.page(
        of: model, log: place.input("log") ?? "", maps: paths, isHeldOut: !holdOut.isEmpty,
        samples: samples, advance: { context.advance(request.name, $0) })
      try AtomicFile.write(bytes, to: place.output(page))
    }
    stage.mayReplace = { OutputGuard.isOurs($0) }
    return StageExpansion([stage])
  }

  private static func page(
    of model: PriorModel, log: String, maps: [(name: String, path: String)], isHeldOut: Bool,
    samples: Int, advance: (Double) -> Void
  ) throws -> [UInt8] {
    var page = TrainingPage(model.file.description, reports: TrainingFolder.reports(in: log))
    let table = model.space.table
    let count = Double(max(1, maps.count + samples))
    for (place, map) in maps.enumerated() {
      let volume = try ImageReader.readLabels(map.path).volume
      let result = try Reconstruction(volume, path: map.path, by: model)
      try page.add(
        map: map.name, isHeldOut: isHeldOut, volume, reconstruction: result.labels,
        dice: result.dice.mean, table: table)
      advance(Double(place + 1) / count)
    }
    guard samples > 0 else { return try page.encoded() }
    let source = try LatentSource(model, kind: nil, seed: 1)
    for number in 1...samples {
      let labels = try model.mostProbable(source.latent(number))
      try page.add(sample: number, model.volume(labels, on: model.space.grid), table: table)
      advance(Double(maps.count + number) / count)
    }
    return try page.encoded()
  }
}
