import Files
import Foundation
import Networks

/// Where a training keeps its files.
///
///     checkpoints/step-NNNNNNNN.safetensors   the last two
///     log.jsonl                               reports, one a line
///     prior.safetensors, encoder.safetensors, context.safetensors
///                                             what was trained (`PriorFile`, `EncoderFile`, `ContextFile`)
///     curve.svg                               curves of the reports
package struct TrainingFolder: Sendable {
  package let path: String
  /// What was trained.
  package let weights: String

  private init(_ path: String, weights: String) {
    self.path = path
    self.weights = path + "/" + weights
  }

  package static func prior(_ path: String) -> TrainingFolder {
    TrainingFolder(path, weights: WeightsName.prior)
  }

  package static func encoder(_ path: String) -> TrainingFolder {
    TrainingFolder(path, weights: WeightsName.encoder)
  }

  package static func context(_ path: String) -> TrainingFolder {
    TrainingFolder(path, weights: WeightsName.context)
  }

  package var checkpoints: CheckpointFolder { CheckpointFolder(path + "/checkpoints") }
  package var log: String { path + "/log.jsonl" }
  package var curve: String { path + "/curve.svg" }

  /// The reports told so far; lines that are no report are passed over.
  package func reports<Report: TrainingReport>() -> [Report] { Self.reports(in: log) }

  /// The same of any log.
  package static func reports<Report: TrainingReport>(in log: String) -> [Report] {
    guard let text = try? String(contentsOfFile: log, encoding: .utf8) else { return [] }
    let decoder = JSONDecoder()
    return text.split(separator: "\n").compactMap {
      try? decoder.decode(Report.self, from: Data($0.utf8))
    }
  }

  /// Removes what a training left, and nothing else.
  package func clear() {
    for step in checkpoints.steps { unlink(checkpoints.file(of: step)) }
    for file in [log, weights, curve] { unlink(file) }
  }

  /// Replaces the log. Throws `FileError`.
  package func write(_ reports: [some TrainingReport]) throws {
    let text = try reports.map { try $0.sortedJSON() + "\n" }.joined()
    try AtomicFile.write(Array(text.utf8), to: log)
  }
}

/// What trained weights are called, where they were trained and beside an atlas.
package enum WeightsName {
  package static let prior = "prior.safetensors"
  package static let encoder = "encoder.safetensors"
  package static let context = "context.safetensors"
}
