import Foundation

/// The checkpoints of one training, `step-NNNNNNNN.safetensors` in a folder; the last two are kept,
/// so that a damaged one costs only the steps since the one before.
package struct CheckpointFolder: Sendable {
  package let path: String
  private static let kept = 2

  package init(_ path: String) { self.path = path }

  /// Writes the checkpoint of a state and removes all but the last two; makes the folder, in one
  /// that is there. Throws `NetworkError.inputOutput`.
  package func save(_ state: TrainingState) throws {
    guard mkdir(path, 0o777) == 0 || errno == EEXIST else {
      throw NetworkError.inputOutput(path: path, operation: "create", errno: errno)
    }
    try state.write(to: file(of: state.adam.steps))
    for step in steps.dropLast(Self.kept) { unlink(file(of: step)) }
  }

  /// Takes up the newest checkpoint that is whole. Returns the steps it was taken after, or nil if
  /// there is none; and what was wrong with newer ones, of which damaged files are then removed:
  /// they are none of the last two.
  package func restore(_ state: inout TrainingState) -> (steps: Int?, damaged: [any Error]) {
    var damaged: [any Error] = []
    for step in steps.reversed() {
      do {
        try state.read(from: file(of: step))
        for case NetworkError.damagedFile(let path, _) in damaged { unlink(path) }
        return (step, damaged)
      } catch {
        damaged.append(error)
      }
    }
    return (nil, damaged)
  }

  /// What the caller noted in the newest checkpoint that is whole, whatever network it is of; nil if
  /// there is none.
  package var notes: [String: String]? {
    for step in steps.reversed() {
      if let notes = try? TrainingState.notes(in: file(of: step)) { return notes }
    }
    return nil
  }

  /// Steps after which there are checkpoints, rising.
  package var steps: [Int] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    return names.compactMap { name in
      guard name.hasPrefix("step-"), name.hasSuffix(".safetensors") else { return nil }
      return Int(name.dropFirst(5).dropLast(12))
    }.sorted()
  }

  /// File of the checkpoint taken after `step` steps.
  package func file(of step: Int) -> String {
    let digits = String(step)
    let zeros = String(repeating: "0", count: max(0, 8 - digits.count))
    return "\(path)/step-\(zeros)\(digits).safetensors"
  }
}
