/// The sizes of an auto-encoder of label volumes.
package struct AutoEncoderShape: Hashable, Sendable, Codable {
  /// K.
  package let labels: Int
  /// Extents of the label volume, each a multiple of `2^levels`: depth, height, width.
  package let depth: Int
  package let height: Int
  package let width: Int
  /// Latent dimensions.
  package let latent: Int
  /// Channels that each convolution of the encoder makes.
  package let encoderChannels: [Int]
  /// Channels at the coarsest level, then those that each upsampling convolution makes.
  package let decoderChannels: [Int]

  /// Throws `NetworkError.invalidShape` if the parts do not fit together.
  package init(
    labels: Int, extents: Extents, latent: Int, encoderChannels: [Int], decoderChannels: [Int]
  ) throws {
    self.labels = labels
    self.depth = extents.depth
    self.height = extents.height
    self.width = extents.width
    self.latent = latent
    self.encoderChannels = encoderChannels
    self.decoderChannels = decoderChannels
    try validate()
  }

  /// Network R1: five convolutions down, five up, 128 latent dimensions.
  package static func r1(labels: Int, extents: Extents) throws -> AutoEncoderShape {
    try AutoEncoderShape(
      labels: labels, extents: extents, latent: 128, encoderChannels: [16, 32, 64, 64, 64],
      decoderChannels: [64, 64, 64, 32, 16, 16])
  }

  package var extents: Extents { Extents(depth, height, width) }

  /// Number of halvings, and of doublings.
  package var levels: Int { encoderChannels.count }

  /// Extents at the coarsest level.
  package var coarsest: Extents {
    Extents(depth >> levels, height >> levels, width >> levels)
  }

  private func validate() throws {
    func require(_ condition: Bool, _ reason: String) throws {
      if !condition { throw NetworkError.invalidShape(reason: reason) }
    }
    try require((1...255).contains(labels), "labels (=\(labels)) must be 1 to 255")
    try require(latent > 0, "latent dimensions (=\(latent)) must be positive")
    try require(levels > 0, "the encoder needs at least one convolution")
    try require(
      decoderChannels.count == levels + 1,
      "\(levels) halvings need \(levels + 1) decoder channel counts, found \(decoderChannels.count)"
    )
    try require(
      (encoderChannels + decoderChannels).allSatisfy { $0 > 0 }, "channels must be positive")
    try require(
      (decoderChannels.last ?? 0) <= 64,
      "the last layer's channels (=\(decoderChannels.last ?? 0)) must be at most 64")
    for extent in [depth, height, width] {
      try require(
        extent > 0 && extent % (1 << levels) == 0,
        "extents (=\(extents)) must be multiples of \(1 << levels)")
    }
  }

  /// Bytes that training takes, about: the features of the last layer, which their gradient
  /// overwrites, and every other layer's output and weights with what is kept beside them.
  package var trainingBytes: Int {
    var size = TrainingSize()
    var at = extents
    for (level, channels) in encoderChannels.enumerated() {
      at = at.halved
      size.addLayer(level == 0 ? labels : encoderChannels[level - 1], channels, at)
    }
    let encoded = encoderChannels[levels - 1] * at.count
    size.addWeights(latent * (2 * encoded + decoderChannels[0] * at.count))
    for level in 0..<levels {
      at = at.doubled
      size.addLayer(
        decoderChannels[level], decoderChannels[level + 1], at, taps: 64, parts: at.depth / 2,
        copies: level == levels - 1 ? 1 : 2)
    }
    return size.bytes
  }

  /// Multiplications and additions that one training step needs, in 10^9: each layer once forward
  /// and twice backward, the first layer's rows added and the elementwise work left out.
  package var gigaflopsPerStep: Double { 3 * (encoderGigaflops + decoderGigaflops) }

  /// Multiplications and additions from latent to logits, in 10^9.
  package var decoderGigaflops: Double {
    var flops = 2.0 * Double(latent * decoderChannels[0] * coarsest.count)
    for level in 0..<levels {
      let voxels = coarsest.count << (3 * (level + 1))
      flops += 2 * 8 * Double(voxels * decoderChannels[level] * decoderChannels[level + 1])
    }
    return (flops + 2 * Double(extents.count * decoderChannels[levels] * labels)) / 1e9
  }

  private var encoderGigaflops: Double {
    var flops = 2.0 * Double(2 * latent * encoderChannels[levels - 1] * coarsest.count)
    for level in 1..<levels {
      let voxels = coarsest.count << (3 * (levels - 1 - level))
      flops += 2 * 27 * Double(voxels * encoderChannels[level - 1] * encoderChannels[level])
    }
    return flops / 1e9
  }
}
