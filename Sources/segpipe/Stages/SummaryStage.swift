import Anatomy
import Files
import Foundation
import Imaging
import Pipelines
import Reports

/// Gathers the volumes and verdicts of a study's scans, those that failed included: two tables and a page.
enum SummaryStage {
  static let name = "summary"
  /// Raised when the same inputs and parameters give other files: results of before are then made anew.
  private static let version = 6

  static func stage(
    _ id: String, scans: [StudyScan], tables: StudyTables, atlas: Location,
    parameters: [StageParameter]
  ) -> Stage {
    var plan = StagePlan(id: id, name: name, version: version)
    plan.parameters = parameters + [StageParameter("pages", .text(tables.pages))]
    plan.inputs = scans.flatMap { scan in
      let subject = scan.job.subject
      return [
        StageInput("sidecar/" + subject, .workspace(scan.job.sidecar), isOptional: true),
        StageInput("volumes/" + subject, .workspace(scan.volumes), isOptional: true),
        StageInput(
          "failure/" + subject, Workspace.failure(of: "\(id)/\(subject)"), isOptional: true),
      ]
    }
    if tables.page != nil { plan.inputs.append(StageInput("atlas", atlas, isFolder: true)) }
    plan.outputs = [tables.summary, tables.volumes, tables.page].compactMap { $0 }.map {
      StageOutput($0)
    }
    var stage = stage(plan)
    stage.mayReplace = StudyStages.isOurs
    return stage
  }

  /// The stage of a plan that was made before: its outputs are the summary, the volumes, and the page if
  /// there is one.
  static func stage(_ plan: StagePlan) -> Stage {
    Stage(plan) { place in
      let subjects = plan.inputs.compactMap { input in
        input.name.hasPrefix("sidecar/") ? String(input.name.dropFirst("sidecar/".count)) : nil
      }
      var summary = StudySummary()
      var volumes = Data(VolumesTable.firstLine(of: .tsv).utf8)
      let atlas = place.input("atlas")
      let table = try atlas.map { try AtlasFiles.table(of: $0) }
      var page = StudyPage(
        title: "Study of \(subjects.count) scans",
        atlas: try atlas.map { try AtlasFiles.volumes(of: $0) } ?? [:],
        borders: BorderRules(try table ?? LabelTable(labels: [])),
        settings: StudyStages.method(of: plan))
      for subject in subjects {
        if let failure = place.input("failure/" + subject).flatMap({ FailureNote(contentsOf: $0) })
        {
          summary.add(subject: subject, failure: failure.message, status: failure.status)
          page.add(
            subject: subject, failure: failure.message, hint: failure.hint, status: failure.status)
        } else if let sidecar = place.input("sidecar/" + subject),
          let table = place.input("volumes/" + subject)
        {
          let (words, rows) = (try read(sidecar), try read(table))
          summary.add(subject: subject, sidecar: words)
          page.add(
            subject: subject, sidecar: words, volumes: rows,
            page: prefix(plan).flatMap { link(to: $0 + subject + ".html") })
          // Without its first line, the names of the columns.
          volumes += rows[((rows.firstIndex(of: UInt8(ascii: "\n")) ?? -1) + 1)...]
        } else {
          summary.addMissing(subject: subject)
          page.addMissing(subject: subject)
        }
      }
      let outputs = plan.outputs.map { place.output($0.path) }
      try AtomicFile.write(summary.encoded(as: .tsv), to: outputs[0])
      try AtomicFile.write([UInt8](volumes), to: outputs[1])
      if outputs.count > 2 { try AtomicFile.write(try page.encoded(), to: outputs[2]) }
    }
  }

  private static func parameter(_ name: String, of plan: StagePlan) -> JSONValue? {
    plan.parameters.first { $0.name == name }?.value
  }

  /// What stands before a scan's name in links to its page.
  private static func prefix(_ plan: StagePlan) -> String? {
    if case .text(let prefix)? = parameter("pages", of: plan) { prefix } else { nil }
  }

  /// A path as a page refers to it.
  private static func link(to path: String) -> String? {
    path.addingPercentEncoding(withAllowedCharacters: .urlPathAllowed)
  }

  private static func read(_ path: String) throws -> Data {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw FileError.readFailed(path: path, code: EIO)
    }
    return data
  }
}
