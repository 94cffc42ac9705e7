import Foundation
import Networks

/// A trained `ContextNetwork` as a file: weights, how they were made, and for which labels.
package struct ContextFile: Sendable {
  /// All that is needed to use the weights.
  package struct Description: Codable, Equatable, Sendable {
    /// Raised when files of before can no longer be read.
    package var version = 1
    package var settings: ContextSettings
    package var shape: ContextShape
    package var atlas: String
    /// `Atlas.fingerprint`.
    package var atlasFingerprint: String
    /// Names of the label maps that scans were drawn from.
    package var maps: [String]
    package var steps: Int

    package init(
      settings: ContextSettings, shape: ContextShape, atlas: String, atlasFingerprint: String,
      maps: [String], steps: Int
    ) {
      self.settings = settings
      self.shape = shape
      self.atlas = atlas
      self.atlasFingerprint = atlasFingerprint
      self.maps = maps
      self.steps = steps
    }
  }

  package let description: Description
  package let path: String
  private let file: Safetensors
  private static let key = "segpipe_context"

  /// Opens a file. Throws `NetworkError`.
  package init(_ path: String) throws {
    file = try Safetensors(contentsOf: path)
    self.path = path
    guard let text = file.metadata[Self.key],
      let description = try? JSONDecoder().decode(Description.self, from: Data(text.utf8))
    else {
      throw NetworkError.damagedFile(path: path, reason: "it is no trained context of segpipe")
    }
    self.description = description
  }

  /// Throws `AnatomyError.otherAtlas` unless it is the one that the network was trained with.
  func check(_ atlas: Atlas) throws {
    let fingerprint = atlas.fingerprint
    guard description.atlasFingerprint == fingerprint else {
      throw AnatomyError.otherAtlas(
        path: path, found: "\(description.atlas) \(description.atlasFingerprint)",
        expected: "\(atlas.name) \(fingerprint)")
    }
  }

  /// Sets weights. Throws `NetworkError`.
  func load(into parameters: ParameterValues) throws { try file.load(into: parameters) }

  /// The digest that the file carries, in hexadecimal.
  package var digest: String { file.digest ?? "" }

  /// Writes weights in half precision. Throws `NetworkError.inputOutput`.
  static func write(
    _ parameters: ParameterValues, _ description: Description, to path: String
  ) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    let text = String(decoding: try encoder.encode(description), as: UTF8.self)
    try Safetensors.write(
      Safetensors.items(parameters, half: true), metadata: [key: text], to: path)
  }
}
