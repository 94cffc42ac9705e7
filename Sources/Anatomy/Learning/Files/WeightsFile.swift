import Files
import Networks

/// What a file of trained weights says of them: all that is needed to use them, and how they were made.
package protocol WeightsDescription: FileDescription {
  /// Name of the atlas that the weights were trained with.
  var atlas: String { get }
  /// Why no network can be made of it, in an error's words; nil: one can.
  var fault: String? { get }
}

extension WeightsDescription {
  package var fault: String? { nil }
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
    (file, description, digest) = try Description.read(path)
    self.path = path
    if let fault = description.fault { throw NetworkError.damagedFile(path: path, reason: fault) }
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
