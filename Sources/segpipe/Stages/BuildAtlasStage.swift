import Anatomy
import Imaging
import Pipelines

/// `kind: build-atlas`, an atlas from label maps. Makes `${NAME.atlas}`, the folder `NAME`.
struct BuildAtlasStage {
  let context: StageContext
  /// Raised when the same inputs and parameters give other files: results of before are then made anew.
  private static let version = 1

  var kind: StageKind {
    let usual = AtlasBuilder.Settings()
    return StageKind(
      "build-atlas",
      keys: [
        .init("maps", .paths, isRequired: true), .init("hold-out", .text),
        .init("labels", .path), .init("name", .text),
        .init("grid", .text), .init("spacing", .number(OptionLimits.spacing)),
        .init("smoothing", .number(OptionLimits.smoothing)),
        .init("refinements", .integer(OptionLimits.alignments)),
        .init("mirrored", .choice(["auto", "yes", "no"])), .init("license", .text),
      ]
    ) { request in
      var build = AtlasBuild()
      build.settings.name = request.text("name") ?? usual.name
      build.settings.smoothing = request.number("smoothing") ?? usual.smoothing
      build.settings.refinements = request.integer("refinements") ?? usual.refinements
      build.settings.mirrored = ["yes": true, "no": false][request.text("mirrored") ?? "auto"]
      build.settings.spacing = request.number("spacing")
      build.license = request.text("license") ?? build.license
      build.settings.extents = try request.text("grid").map {
        try Self.extents($0, stage: request.name)
      }
      guard AtlasBuild.isName(build.settings.name) else {
        throw StageKeyError(stage: request.name, key: "name", expected: AtlasBuild.nameRule)
      }
      return try expand(request, build)
    }
  }

  private static func extents(_ text: String, stage: String) throws -> SIMD3<Int> {
    let numbers = text.split(separator: " ").map { Int($0) ?? 0 }
    guard OptionLimits.isGrid(numbers) else {
      throw StageKeyError(stage: stage, key: "grid", expected: OptionLimits.gridRule)
    }
    return SIMD3(numbers[0], numbers[1], numbers[2])
  }

  private func expand(_ request: StageRequest, _ build: AtlasBuild) throws -> StageExpansion {
    var plan = StagePlan(id: request.name, name: "build-atlas", version: Self.version)
    plan.parameters = Self.parameters(build)
    let maps = try MapInputs(request, without: MapInputs.names(request.text("hold-out")))
    let files = try LabelMapFiles(maps.paths)
    plan.inputs = maps.inputs
    if let table = request.place("labels") {
      plan.inputs.append(StageInput("labels", table))
    } else if let head = AtlasBuild.headTable {
      plan.inputs.append(StageInput("head labels", .outside(head)))
    }
    plan.outputs = [StageOutput(request.name, isFolder: true)]
    var stage = Stage(plan) { [context] place in
      var build = build
      build.table = try place.input("labels").map { try LabelTable.read($0) }
      build.head = place.input("head labels").flatMap { try? LabelTable.read($0) }
      let atlas = try build.perform(
        files, to: place.output(request.name), console: context.console,
        advance: { context.advance(request.name, $0) })
      context.console.note("\(request.name): \(AtlasBuild.summary(of: atlas))")
    }
    let folder = AtlasFolder(request.workspace.path(request.name))
    stage.mayReplace = { _ in folder.isOurs }
    return StageExpansion([stage], results: ["atlas": .workspace(request.name)])
  }

  private static func parameters(_ build: AtlasBuild) -> [StageParameter] {
    let e = build.settings.extents
    return [
      StageParameter("name", .text(build.settings.name)),
      StageParameter("grid", e.map { .text("\($0.x) \($0.y) \($0.z)") } ?? .null),
      StageParameter("spacing", build.settings.spacing.map { .number($0) } ?? .null),
      StageParameter("smoothing", .number(build.settings.smoothing)),
      StageParameter("refinements", .number(Double(build.settings.refinements))),
      StageParameter("mirrored", build.settings.mirrored.map { .flag($0) } ?? .text("auto")),
      StageParameter("license", .text(build.license)),
    ]
  }
}
