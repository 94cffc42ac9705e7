import Files
import Networks

/// A trained prior as a file.
package typealias PriorFile = WeightsFile<PriorDescription>

/// How a prior auto-encoder was trained, and for which atlas.
package struct PriorDescription: AtlasWeightsDescription {
  package static let key = "segpipe_prior"
  package static let kind = "trained prior"
  package static let currentVersion = 1

  package var version = currentVersion
  package var settings: PriorSettings
  package var atlas: String
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

extension PriorDescription {
  package var fault: String? {
    PriorSettings.latentSizes.contains(settings.latentSize)
      ? nil
      : "its latent has \(settings.latentSize) dimensions, expected \(PriorSettings.latentSizes.lowerBound) to \(PriorSettings.latentSizes.upperBound)"
  }
}

extension WeightsFile<PriorDescription> {
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
    ["encoder.", "posterior.", "mean.", "log_variance.", "encodings."].contains {
      name.hasPrefix($0)
    }
  }

  /// The distribution that encodings of label maps, of `latent` dimensions each, follow, if the file holds one.
  ///
  /// - Throws: `NetworkError`, `.damagedFile` where its parts do not fit together.
  package func encodings(latent: Int) throws -> EncodingDistribution? {
    guard file.names.contains("encodings.mean") else { return nil }
    let mean = try file.floats("encodings.mean")
    let factors = try file.floats("encodings.factors")
    let coefficients =
      file.names.contains("encodings.coefficients")
      ? try file.floats("encodings.coefficients") : []
    let deviations = try file.floats("encodings.deviations")
    let directions = factors.count / latent
    guard [mean.count, deviations.count] == [latent, latent], factors.count % latent == 0,
      directions == 0 ? coefficients.isEmpty : coefficients.count % directions == 0
    else {
      throw NetworkError.damagedFile(
        path: path,
        reason: "its encodings have \(mean.count) means, \(factors.count) factors, "
          + "\(coefficients.count) coefficients and \(deviations.count) deviations, of \(latent) dimensions"
      )
    }
    return EncodingDistribution(
      mean: mean, factors: factors, coefficients: coefficients, deviations: deviations)
  }

  /// Writes weights in half precision. Throws `NetworkError.inputOutput`.
  package static func write(
    _ model: any LabelModel, _ encodings: EncodingDistribution?,
    _ description: PriorDescription, to path: String
  ) throws {
    var others: [Safetensors.Item] = []
    if let encodings {
      let dimensions = encodings.mean.count
      let directions = encodings.factors.count / dimensions
      others += [
        try item("encodings.mean", [dimensions], encodings.mean),
        try item(
          "encodings.factors", [directions, dimensions], encodings.factors),
        try item(
          "encodings.coefficients",
          [encodings.coefficients.count / max(1, directions), directions], encodings.coefficients),
        try item("encodings.deviations", [dimensions], encodings.deviations),
      ]
    }
    try write(model.parameters, and: others, description, to: path)
  }

  private static func item(
    _ name: String, _ shape: [Int], _ values: [Float]
  ) throws -> Safetensors.Item {
    let tensor = try Tensor(count: values.count)
    tensor.assign(values)
    return .halves(name, shape, tensor)
  }
}
