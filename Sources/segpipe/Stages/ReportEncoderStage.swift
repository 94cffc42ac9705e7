import Anatomy
import Files
import Imaging
import Pipelines
import Reports

/// `kind: report-encoder`, a page on a trained encoder of scans, `NAME/report.html`: how it was trained, the
/// curves of each training, whose logs are given in their order, and scans beside what the encoder makes of
/// them: some drawn from label maps, those held out if there are any, and some without labels.
struct ReportEncoderStage {
  let context: StageContext
  /// Raised when the same inputs and parameters give other files: results of before are then made anew.
  private static let version = 2
  /// Label maps and scans that are shown.
  private static let shown = 2

  var kind: StageKind {
    StageKind(
      "report-encoder",
      keys: [
        .init("encoder", .path, isRequired: true), .init("logs", .paths, isRequired: true),
        .init("atlas", .path, isRequired: true), .init("prior", .path, isRequired: true),
        .init("maps", .paths), .init("hold-out", .text), .init("scans", .paths),
      ],
      expand: expand)
  }

  private func expand(_ request: StageRequest) throws -> StageExpansion {
    let maps = try request.places("maps").isEmpty ? nil : MapInputs(request)
    let scans = try request.places("scans").isEmpty ? nil : ScanInputs(request)
    let shownMaps = try maps?.shown(
      preferring: MapInputs.names(request.text("hold-out")), most: Self.shown)
    let shownScans = scans?.named.prefix(Self.shown).map(\.name) ?? []
    var plan = StagePlan(id: request.name, name: "report-encoder", version: Self.version)
    let logs = request.places("logs").enumerated().map { ("log \($0 + 1)", $1) }
    plan.inputs = logs.map { StageInput($0.0, $0.1) }
    for (key, isFolder) in [("encoder", false), ("atlas", true), ("prior", false)] {
      if let place = request.place(key) {
        plan.inputs.append(StageInput(key, place, isFolder: isFolder))
      }
    }
    plan.inputs += maps?.inputs(of: shownMaps ?? []) ?? []
    plan.inputs += scans?.inputs(of: shownScans) ?? []
    let page = "\(request.name)/report.html"
    plan.outputs = [StageOutput(page)]
    var stage = Stage(plan) { [context] place in
      let file = try EncoderFile(place.input("encoder") ?? "")
      let reports: [[EncoderReport]] = logs.map { name, _ in
        TrainingFolder.reports(in: place.input(name) ?? "")
      }
      var content = EncoderPage(file.description, reports: reports)
      let atlas = try context.atlas(in: place.input("atlas") ?? "")
      let examples = try EncoderExamples(
        file, prior: try PriorFile(place.input("prior") ?? ""), atlas: atlas)
      let table = atlas.prior.table
      let count = Double(max(1, (shownMaps?.count ?? 0) + shownScans.count))
      for (number, name) in (shownMaps ?? []).enumerated() {
        let path = place.input("maps/" + name) ?? ""
        let map = try AlignedMap(
          try ImageReader.readLabels(path).volume, path: path, in: AtlasSpace(atlas.prior),
          mirrors: false)
        try content.add(try examples.drawn(from: map, number: number + 1), table: table)
        context.advance(request.name, Double(number + 1) / count)
      }
      for (number, name) in shownScans.enumerated() {
        let path = place.input("scans/" + name) ?? ""
        let scan = try ImageReader.readScan(path).volume
        try content.add(try examples.read(scan, name: name, path: path), table: table)
        context.advance(
          request.name, Double((shownMaps?.count ?? 0) + number + 1) / count)
      }
      try AtomicFile.write(try content.encoded(), to: place.output(page))
    }
    stage.mayReplace = { OutputGuard.isOurs($0) }
    return StageExpansion([stage])
  }
}
