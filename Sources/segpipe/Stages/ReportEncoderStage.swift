import Anatomy
import Files
import Imaging
import Pipelines
import Reports

/// `kind: report-encoder`, a page on a trained encoder of scans, `NAME/report.html`: how it was trained, and the
/// curves of each training, whose logs are given in their order.
struct ReportEncoderStage {
  let context: StageContext
  private static let version = 1

  var kind: StageKind {
    StageKind(
      "report-encoder",
      keys: [
        .init("encoder", .path, isRequired: true), .init("logs", .paths, isRequired: true),
      ],
      expand: expand)
  }

  private func expand(_ request: StageRequest) throws -> StageExpansion {
    var plan = StagePlan(id: request.name, name: "report-encoder", version: Self.version)
    let logs = request.places("logs").enumerated().map { ("log \($0 + 1)", $1) }
    plan.inputs = logs.map { StageInput($0.0, $0.1) }
    if let encoder = request.place("encoder") {
      plan.inputs.append(StageInput("encoder", encoder))
    }
    let page = "\(request.name)/report.html"
    plan.outputs = [StageOutput(page)]
    var stage = Stage(plan) { place in
      let file = try EncoderFile(place.input("encoder") ?? "")
      let reports: [[EncoderReport]] = logs.map { name, _ in
        TrainingFolder.reports(in: place.input(name) ?? "")
      }
      try AtomicFile.write(
        try EncoderPage(file.description, reports: reports).encoded(), to: place.output(page))
    }
    stage.mayReplace = { OutputGuard.isOurs($0) }
    return StageExpansion([stage])
  }
}
