import Foundation
import Networks

/// A trained encoder of scans as a file: weights, how they were made, and for which prior.
package struct EncoderFile: Sendable {
  /// All that is needed to use the weights.
  package struct Description: Codable, Equatable, Sendable {
    /// Raised when files of before can no longer be read.
    package var version = 2
    package var atlas: String
    /// The decoder that the encoder was trained through (`PriorFile.decoderDigest`).
    package var decoder: String
    /// The trainings that made the weights, first to last.
    package var trainings: [Training]

    package init(atlas: String, decoder: String, trainings: [Training]) {
      self.atlas = atlas
      self.decoder = decoder
      self.trainings = trainings
    }
  }

  /// One training.
  package struct Training: Codable, Equatable, Sendable {
    package var settings: EncoderSettings
    /// Names of the label maps or scans that were trained on.
    package var inputs: [String]
    package var steps: Int
  }

  package let description: Description
  package let path: String
  private let file: Safetensors
  private static let key = "segpipe_encoder"

  /// Opens a file. Throws `NetworkError`.
  package init(_ path: String) throws {
    file = try Safetensors(contentsOf: path)
    self.path = path
    guard let text = file.metadata[Self.key],
      let description = try? JSONDecoder().decode(Description.self, from: Data(text.utf8))
    else {
      throw NetworkError.damagedFile(
        path: path, reason: "it is no trained encoder of scans of segpipe")
    }
    self.description = description
  }

  /// Throws `AnatomyError.otherPrior` unless the encoder was trained through this prior's decoder,
  /// `NetworkError`.
  func check(_ prior: PriorFile) throws {
    let decoder = try prior.decoderDigest()
    guard description.decoder == decoder else {
      throw AnatomyError.otherPrior(path: path, found: description.decoder, expected: decoder)
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
