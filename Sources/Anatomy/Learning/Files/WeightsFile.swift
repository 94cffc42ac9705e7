import Files
import Foundation
import Networks

/// What a file of trained weights says of them: all that is needed to use them, and how they were made.
package protocol WeightsDescription: Codable, Equatable, Sendable {
  /// Entry of the file's metadata that holds it, as JSON.
  static var key: String { get }
  /// What the weights are, in an error's words.
  static var kind: String { get }
  /// Raised when files of before can no longer be read.
  static var currentVersion: Int { get }
  /// The version that the file was written by.
  var version: Int { get }
  /// Name of the atlas that the weights were trained with.
  var atlas: String { get }
  /// Why no network can be made of it, in an error's words; nil: one can.
  var fault: String? { get }
}

extension WeightsDescription {
  package var fault: String? { nil }
}

/// What files of this program hold, in an error's words.
enum WeightsKind {
  private static let kinds = [
    PriorDescription.key: PriorDescription.kind, EncoderDescription.key: EncoderDescription.kind,
    ContextDescription.key: ContextDescription.kind, LatentFile.key: LatentFile.kind,
    TrainingState.key: "checkpoint of a training",
  ]

  /// Nil: nothing of this program.
  static func of(_ file: Safetensors) -> String? {
    kinds.keys.sorted().first { file.metadata[$0] != nil }.flatMap { kinds[$0] }
  }
}

/// Trained weights as a safetensors file, and what it says of them.
package struct WeightsFile<Description: WeightsDescription>: Sendable {
  package let description: Description
  package let path: String
  /// The digest that the file carries, in hexadecimal.
  package let digest: String
  let file: Safetensors

  /// Opens a file. Throws `AnatomyError.otherWeights`; `NetworkError`, `.damagedFile` where it is not whole, or of another
  /// version.
  package init(_ path: String) throws {
    func damaged(_ reason: String) -> NetworkError { .damagedFile(path: path, reason: reason) }
    file = try Safetensors(contentsOf: path)
    self.path = path
    guard let text = file.metadata[Description.key] else {
      throw AnatomyError.otherWeights(
        path: path, found: WeightsKind.of(file), expected: Description.kind)
    }
    guard let description = try? JSONDecoder().decode(Description.self, from: Data(text.utf8))
    else { throw damaged("what it says of the \(Description.kind) cannot be read") }
    guard description.version == Description.currentVersion else {
      throw damaged(
        "it is a \(Description.kind) of version \(description.version), expected \(Description.currentVersion)"
      )
    }
    if let fault = description.fault { throw damaged(fault) }
    guard let digest = file.digest else { throw damaged("it carries no digest") }
    self.description = description
    self.digest = digest
  }

  /// Sets weights. Throws `NetworkError`.
  func load(into parameters: ParameterValues) throws { try file.load(into: parameters) }

  /// Writes weights in half precision, and `others`. Throws `NetworkError.inputOutput`.
  static func write(
    _ parameters: ParameterValues, and others: [Safetensors.Item] = [],
    _ description: Description, to path: String
  ) throws {
    try Safetensors.write(
      Safetensors.items(parameters, half: true) + others,
      metadata: [Description.key: description.sortedJSON()], to: path)
  }
}

/// Of weights that can be used with one atlas alone.
package protocol AtlasWeightsDescription: WeightsDescription {
  /// `Atlas.fingerprint`.
  var atlasFingerprint: String { get }
}

extension WeightsFile where Description: AtlasWeightsDescription {
  /// Throws `AnatomyError.otherAtlas` unless it is the one that the weights were trained with.
  func check(_ atlas: Atlas) throws {
    let fingerprint = atlas.fingerprint
    guard description.atlasFingerprint == fingerprint else {
      throw AnatomyError.otherAtlas(
        path: path, found: "\(description.atlas) \(description.atlasFingerprint)",
        expected: "\(atlas.name) \(fingerprint)")
    }
  }
}

extension Encodable {
  /// JSON whose keys are sorted: equal values, equal text.
  func sortedJSON() throws -> String { try JSONBytes.text(self, escapingSlashes: true) }
}
