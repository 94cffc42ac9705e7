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
    let described = kind == .normal ? nil : try model.file.encodings(latent: model.latentCount)
    if kind == .encodings, described == nil {
      throw AnatomyError.noEncodings(path: model.file.path)
    }
    encodings = described
    self.kind = described == nil ? .normal : .encodings
    self.seed = seed
    dimensions = model.latentCount
  }

  /// What tells a draw of a number, from 1, from all others, below 2^40.
  static func stream(_ number: Int, draw: Int) -> UInt64 {
    UInt64(number) + UInt64(draw - 1) << 32
  }

  /// The latent of one number: it depends on seed, number and `draw`, not on how many are drawn.
  package func latent(_ number: Int, draw: Int = 1) -> [Float] {
    var random = Philox(seed: seed, .latents, number: Self.stream(number, draw: draw))
    return encodings?.sample(&random) ?? (0..<dimensions).map { _ in random.normal() }
  }
}
