import Networks

/// Where random latents come from.
package struct LatentSource: Sendable {
  package enum Kind: String, CaseIterable, Codable, Sendable {
    /// The Gaussian that encodings of label maps follow together (`EncodingDistribution`).
    case encodings
    /// N(0, I).
    case normal
  }

  package let kind: Kind
  package let seed: UInt64
  private let dimensions: Int
  private let encodings: EncodingDistribution?

  /// Without a `kind`, encodings where the model's file describes them, else N(0, I).
  ///
  /// - Throws: `AnatomyError.noEncodings` where they are asked for and not described, `NetworkError`.
  package init(_ model: PriorModel, kind: Kind?, seed: UInt64) throws {
    let described = kind == .normal ? nil : try model.file.encodings()
    if kind == .encodings, described == nil {
      throw AnatomyError.noEncodings(path: model.file.path)
    }
    if let described, described.mean.count != model.latentCount {
      throw NetworkError.shapeMismatch(
        path: model.file.path, name: "encodings.mean", found: [described.mean.count],
        expected: [model.latentCount])
    }
    encodings = described
    self.kind = described == nil ? .normal : .encodings
    self.seed = seed
    dimensions = model.latentCount
  }

  /// The latent of one number: it depends on seed and number, not on how many are drawn.
  package func latent(_ number: Int) -> [Float] {
    var random = Philox(seed: seed, stream: 3 << 40 + UInt64(number))
    return encodings?.sample(&random) ?? (0..<dimensions).map { _ in random.normal() }
  }
}
