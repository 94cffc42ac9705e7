import Files
import Foundation

/// All that training needs to go on as if it had never stopped: weights, optimiser and random state,
/// which tells where in the data training is as well.
package struct TrainingState {
  package let weights: ParameterValues
  package var adam: Adam
  /// Mean of the weights over steps, where a training takes one.
  package var average: WeightAverage?
  package var random: Philox
  /// Threads that the last step ran on, for the record: results do not depend on this number.
  package var threads: Int
  /// Words of the caller, such as what the data were.
  package var notes: [String: String]

  package init(
    weights: ParameterValues, adam: Adam, average: WeightAverage? = nil, random: Philox,
    threads: Int, notes: [String: String] = [:]
  ) {
    self.weights = weights
    self.adam = adam
    self.average = average
    self.random = random
    self.threads = threads
    self.notes = notes
  }

  private struct Counters: Codable {
    let steps: Int
    let random: Philox
    let threads: Int
    let notes: [String: String]
    let averaged: Int?
  }

  /// Entry of a checkpoint's metadata that holds all but numbers of the network.
  package static let key = "training_state"

  /// Writes a checkpoint atomically; returns its digest. Throws `NetworkError.inputOutput`.
  @discardableResult
  package func write(to path: String) throws -> String {
    let counters = try JSONBytes.encode(
      Counters(
        steps: adam.steps, random: random, threads: threads, notes: notes,
        averaged: average?.count), escapingSlashes: true)
    return try Safetensors.write(
      parts.flatMap { Safetensors.items($0.values, prefix: $0.prefix) },
      metadata: [Self.key: String(decoding: counters, as: UTF8.self)], to: path)
  }

  /// All that has the shape of the weights, and what names begin with in a checkpoint.
  private var parts: [(prefix: String, values: ParameterValues)] {
    [("", weights), ("adam.first.", adam.first), ("adam.second.", adam.second)]
      + (average.map { [("average.", $0.values)] } ?? [])
  }

  private static func open(_ path: String) throws -> (Safetensors, Counters) {
    let file = try Safetensors(contentsOf: path)
    guard file.digest != nil else {
      throw NetworkError.damagedFile(path: path, reason: "it carries no digest")
    }
    guard let text = file.metadata[key],
      let counters = try? JSONDecoder().decode(Counters.self, from: Data(text.utf8))
    else { throw NetworkError.damagedFile(path: path, reason: "it is not a checkpoint") }
    return (file, counters)
  }

  /// The words of the caller in a checkpoint, whatever network it is of. Throws `NetworkError`.
  static func notes(in path: String) throws -> [String: String] { try open(path).1.notes }

  /// Takes up a checkpoint: overwrites weights, moments and counters of a state made for the same
  /// network.
  ///
  /// Throws `NetworkError` before anything is changed if the file is damaged, carries no digest or
  /// is another network's.
  package mutating func read(from path: String) throws {
    let (file, counters) = try Self.open(path)
    for part in parts { try file.check(weights.list, prefix: part.prefix) }
    for part in parts { try file.load(into: part.values, prefix: part.prefix) }
    adam.resume(after: counters.steps)
    average?.count = counters.averaged ?? 0
    random = counters.random
    threads = counters.threads
    notes = counters.notes
  }
}
