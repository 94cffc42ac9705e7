import Files
import Foundation
import Networks

/// Where a training of the prior auto-encoder keeps its files.
///
///     checkpoints/step-NNNNNNNN.safetensors   the last two
///     log.jsonl                               reports, one a line
///     prior.safetensors                       the trained prior (`PriorFile`)
///     curve.svg                               curves of the reports
package struct PriorFolder: Sendable {
  package let path: String

  package init(_ path: String) { self.path = path }

  package var checkpoints: CheckpointFolder { CheckpointFolder(path + "/checkpoints") }
  package var log: String { path + "/log.jsonl" }
  package var curve: String { path + "/curve.svg" }
  package var weights: String { path + "/prior.safetensors" }

  /// The reports told so far; lines that are no report are passed over.
  package func reports() -> [PriorReport] { Self.reports(in: log) }

  /// The same of any log.
  package static func reports(in log: String) -> [PriorReport] {
    guard let text = try? String(contentsOfFile: log, encoding: .utf8) else { return [] }
    let decoder = JSONDecoder()
    return text.split(separator: "\n").compactMap {
      try? decoder.decode(PriorReport.self, from: Data($0.utf8))
    }
  }

  /// Removes what a training left, and nothing else.
  package func clear() throws {
    for step in checkpoints.steps { unlink(checkpoints.file(of: step)) }
    for file in [log, weights] { unlink(file) }
  }

  /// Replaces the log. Throws `FileError`.
  package func write(_ reports: [PriorReport]) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    var text: [UInt8] = []
    for report in reports {
      text += try encoder.encode(report)
      text.append(UInt8(ascii: "\n"))
    }
    try AtomicFile.write(text, to: log)
  }
}
