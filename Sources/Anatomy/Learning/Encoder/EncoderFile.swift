import Networks

/// A trained encoder of scans as a file.
package typealias EncoderFile = WeightsFile<EncoderDescription>

/// How an encoder of scans was trained, and for which prior.
package struct EncoderDescription: WeightsDescription {
  package static let key = "segpipe_encoder"
  package static let kind = "trained encoder of scans"
  package static let currentVersion = 2

  package var version = currentVersion
  package var atlas: String
  /// The decoder that the encoder was trained through (`PriorFile.decoderDigest`).
  package var decoder: String
  /// The trainings that made the weights, first to last.
  package var trainings: [Training]

  /// One training.
  package struct Training: Codable, Equatable, Sendable {
    package var settings: EncoderSettings
    /// Names of the label maps or scans that were trained on.
    package var inputs: [String]
    package var steps: Int
  }

  package init(atlas: String, decoder: String, trainings: [Training]) {
    self.atlas = atlas
    self.decoder = decoder
    self.trainings = trainings
  }
}

extension WeightsFile<EncoderDescription> {
  /// Throws `AnatomyError.otherPrior` unless the encoder was trained through this prior's decoder,
  /// `NetworkError`.
  func check(_ prior: PriorFile) throws {
    let decoder = try prior.decoderDigest()
    guard description.decoder == decoder else {
      throw AnatomyError.otherPrior(path: path, found: description.decoder, expected: decoder)
    }
  }
}
