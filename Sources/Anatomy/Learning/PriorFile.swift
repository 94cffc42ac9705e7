import Files
import Foundation
import Networks

/// A trained prior as a file: weights, how they were made, and for which atlas.
package struct PriorFile: Sendable {
  /// All that is needed to use the weights.
  package struct Description: Codable, Equatable, Sendable {
    /// Raised when files of before can no longer be read.
    package var version = 1
    package var settings: PriorSettings
    package var atlas: String
    /// `Atlas.fingerprint`.
    package var atlasFingerprint: String
    /// Names of the label maps that were trained on.
    package var maps: [String]
    package var steps: Int
    /// Volumes of the label maps; files of before have none.
    package var volumes: TrainingVolumes?

    package init(
      settings: PriorSettings, atlas: String, atlasFingerprint: String, maps: [String], steps: Int,
      volumes: TrainingVolumes? = nil
    ) {
      self.settings = settings
      self.atlas = atlas
      self.atlasFingerprint = atlasFingerprint
      self.maps = maps
      self.steps = steps
      self.volumes = volumes
    }
  }

  package let description: Description
  private let file: Safetensors
  package let path: String
  private static let key = "segpipe_prior"

  /// Opens a file. Throws `NetworkError`.
  package init(_ path: String) throws {
    file = try Safetensors(contentsOf: path)
    self.path = path
    guard let text = file.metadata[Self.key],
      let description = try? JSONDecoder().decode(Description.self, from: Data(text.utf8))
    else {
      throw NetworkError.damagedFile(path: path, reason: "it is no trained prior of segpipe")
    }
    self.description = description
  }

  /// The network with its weights, for the atlas it was trained with.
  ///
  /// - Throws: `AnatomyError.otherAtlas` for another one, `NetworkError`.
  package func network(
    for atlas: Atlas, purpose: LabelAutoEncoder.Purpose
  ) throws -> any LabelModel {
    try check(atlas)
    let model = try description.settings.network(for: atlas.prior, purpose: purpose)
    try load(into: model.parameters)
    model.update()
    return model
  }

  /// Throws `AnatomyError.otherAtlas` unless it is the one that the prior was trained with.
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

  /// SHA-256 of what decides which anatomy belongs to a latent: the weights of the decoder, by name, and the
  /// atlas. Encoders of scans and latents belong to a decoder, whatever else its file holds.
  ///
  /// - Throws: `NetworkError` for a damaged file.
  package func decoderDigest() throws -> String {
    var hash = SHA256()
    Array(description.atlasFingerprint.utf8).withUnsafeBytes { hash.update($0) }
    for name in file.names where !Self.isBesideDecoder(name) {
      Array(name.utf8).withUnsafeBytes { hash.update($0) }
      try file.floats(name).withUnsafeBytes { hash.update($0) }
    }
    return hash.hexadecimal
  }

  private static func isBesideDecoder(_ name: String) -> Bool {
    ["encoder.", "posterior.", "mean.", "log_variance.", "encodings."].contains { name.hasPrefix($0) }
  }

  /// The distribution that encodings of label maps follow, if the file holds one.
  package func encodings() throws -> EncodingDistribution? {
    guard file.names.contains("encodings.mean") else { return nil }
    let mean = try file.floats("encodings.mean")
    return EncodingDistribution(
      mean: mean, factors: try file.floats("encodings.factors"),
      coefficients: file.names.contains("encodings.coefficients")
        ? try file.floats("encodings.coefficients") : [],
      deviations: try file.floats("encodings.deviations"))
  }

  /// Writes weights in half precision. Throws `NetworkError.inputOutput`.
  package static func write(
    _ model: any LabelModel, _ encodings: EncodingDistribution?, _ description: Description,
    to path: String
  ) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    let text = String(decoding: try encoder.encode(description), as: UTF8.self)
    var items = Safetensors.items(model.parameters, half: true)
    if let encodings {
      let dimensions = encodings.mean.count
      let directions = encodings.factors.count / dimensions
      items += [
        try item("encodings.mean", [dimensions], encodings.mean),
        try item(
          "encodings.factors", [directions, dimensions], encodings.factors),
        try item(
          "encodings.coefficients",
          [encodings.coefficients.count / max(1, directions), directions], encodings.coefficients),
        try item("encodings.deviations", [dimensions], encodings.deviations),
      ]
    }
    try Safetensors.write(items, metadata: [key: text], to: path)
  }

  private static func item(
    _ name: String, _ shape: [Int], _ values: [Float]
  ) throws -> Safetensors.Item {
    let tensor = try Tensor(count: values.count)
    tensor.assign(values)
    return .halves(name, shape, tensor)
  }
}
