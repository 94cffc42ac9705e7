import Files
import Foundation
import Pipelines
import Reports

/// Gathers the volumes and verdicts of a study's scans, those that failed included.
enum SummaryStage {
  static let name = "summary"
  private static let version = 1

  static func stage(_ files: SegmentFiles, subjects: [String]) -> Stage {
    var plan = StagePlan(id: files.folder, name: name, version: version)
    plan.inputs = subjects.flatMap { subject in
      [
        StageInput(
          "sidecar/" + subject, .workspace(files.sidecar(of: subject)), isOptional: true),
        StageInput(
          "volumes/" + subject, .workspace(files.volumes(of: subject)), isOptional: true),
        StageInput(
          "failure/" + subject, Workspace.failure(of: "\(files.folder)/\(subject)"),
          isOptional: true),
      ]
    }
    plan.outputs = [StageOutput(files.summary), StageOutput(files.volumes)]
    return stage(plan)
  }

  /// The stage of a plan that was made before.
  static func stage(_ plan: StagePlan) -> Stage {
    Stage(plan) { place in
      let files = SegmentFiles(folder: plan.id)
      let subjects = plan.inputs.compactMap { input in
        input.name.hasPrefix("sidecar/") ? String(input.name.dropFirst("sidecar/".count)) : nil
      }
      var summary = StudySummary()
      var volumes = Data(VolumesTable.firstLine(of: .tsv).utf8)
      for subject in subjects {
        let failure = place.input("failure/" + subject).flatMap { FailureNote(contentsOf: $0) }
        if let failure {
          summary.add(subject: subject, failure: failure.message, status: failure.status)
        } else if let sidecar = place.input("sidecar/" + subject),
          let table = place.input("volumes/" + subject)
        {
          summary.add(subject: subject, sidecar: try read(sidecar))
          // Without its first line, the names of the columns.
          let rows = try read(table)
          volumes += rows[((rows.firstIndex(of: UInt8(ascii: "\n")) ?? -1) + 1)...]
        } else {
          summary.addMissing(subject: subject)
        }
      }
      try AtomicFile.write(summary.encoded(as: .tsv), to: place.output(files.summary))
      try AtomicFile.write([UInt8](volumes), to: place.output(files.volumes))
    }
  }

  private static func read(_ path: String) throws -> Data {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw FileError.readFailed(path: path, code: EIO)
    }
    return data
  }
}
