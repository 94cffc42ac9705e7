/// The sizes of an auto-encoder of label volumes whose decoder warps a location prior.
package struct WarpingShape: Hashable, Sendable, Codable {
  /// K.
  package let labels: Int
  /// Extents of the label volume, each a multiple of `2^encoderChannels.count`.
  package let depth: Int
  package let height: Int
  package let width: Int
  /// Latent dimensions in each cell of the coarsest level.
  package let latentChannels: Int
  /// Channels that each halving convolution of the encoder makes.
  package let encoderChannels: [Int]
  /// Channels at the coarsest level, then those that each doubling convolution makes; the last
  /// level carries displacement and residual logits.
  package let decoderChannels: [Int]
  /// Least probability of a label before softmax.
  package let floor: Float

  /// The floor unless told otherwise.
  package static let standardFloor: Float = 1e-4

  /// Throws `NetworkError.invalidShape` if the parts do not fit together.
  package init(
    labels: Int, extents: Extents, latentChannels: Int, encoderChannels: [Int],
    decoderChannels: [Int], floor: Float = standardFloor
  ) throws {
    self.labels = labels
    self.depth = extents.depth
    self.height = extents.height
    self.width = extents.width
    self.latentChannels = latentChannels
    self.encoderChannels = encoderChannels
    self.decoderChannels = decoderChannels
    self.floor = floor
    try validate()
  }

  /// As many halvings as the extents allow, at most four; displacement and logits at every fourth
  /// voxel.
  package static func standard(
    labels: Int, extents: Extents, latentChannels: Int
  ) throws -> WarpingShape {
    let sizes = [extents.depth, extents.height, extents.width]
    let halvings = (2...4).last { levels in sizes.allSatisfy { $0 % (1 << levels) == 0 } } ?? 2
    return try WarpingShape(
      labels: labels, extents: extents, latentChannels: latentChannels,
      encoderChannels: Array([16, 32, 64, 64].prefix(halvings)),
      decoderChannels: Array([64, 64, 16].suffix(halvings - 1)))
  }

  package var extents: Extents { Extents(depth, height, width) }

  /// Extents of the coarsest level.
  package var cells: Extents {
    let levels = encoderChannels.count
    return Extents(depth >> levels, height >> levels, width >> levels)
  }

  /// Latent dimensions.
  package var latent: Int { latentChannels * cells.count }

  /// Voxels along each axis for one node of displacement and logits.
  package var factor: Int { 1 << (encoderChannels.count - decoderChannels.count + 1) }

  private func validate() throws {
    func require(_ condition: Bool, _ reason: String) throws {
      if !condition { throw NetworkError.invalidShape(reason: reason) }
    }
    try require((1...254).contains(labels), "labels (=\(labels)) must be 1 to 254")
    try require(latentChannels > 0, "latent channels (=\(latentChannels)) must be positive")
    try require(
      encoderChannels.count >= 2 && encoderChannels.count <= 8,
      "the encoder (=\(encoderChannels)) needs 2 to 8 convolutions")
    try require(
      (1..<encoderChannels.count + 1).contains(decoderChannels.count)
        && decoderChannels.count < encoderChannels.count + 1 && factor >= 2,
      "the decoder (=\(decoderChannels)) must end above single voxels")
    try require(
      (encoderChannels + decoderChannels).allSatisfy { $0 > 0 }, "channels must be positive")
    try require(floor > 0 && floor < 0.01, "the floor (=\(floor)) must lie between 0 and 0.01")
    for extent in [depth, height, width] {
      try require(
        extent > 0 && extent % (1 << encoderChannels.count) == 0,
        "extents (=\(extents)) must be multiples of \(1 << encoderChannels.count)")
    }
  }

  /// Bytes that training takes, about: every layer's output and weights with what is kept beside them.
  package var trainingBytes: Int {
    var size = TrainingSize()
    size.addActivation(latentChannels, cells)
    var at = extents
    for (level, channels) in encoderChannels.enumerated() {
      at = at.halved
      let inputs = level == 0 ? labels : encoderChannels[level - 1]
      size.addLayer(inputs, channels, at, hasPositions: level >= 2)
    }
    size.addLayer(encoderChannels[encoderChannels.count - 1], 2 * latentChannels, at)
    size.addLayer(latentChannels, decoderChannels[0], at, hasPositions: true)
    for level in 1..<decoderChannels.count {
      at = at.doubled
      size.addLayer(
        decoderChannels[level - 1], decoderChannels[level], at, taps: 64, parts: at.depth / 2,
        hasPositions: level + 1 < decoderChannels.count)
    }
    let last = decoderChannels[decoderChannels.count - 1]
    size.addActivation(last, at, copies: 1)
    for channels in [3, labels] { size.addLayer(last, channels, at) }
    return size.bytes
  }

  /// Multiplications and additions that one training step needs, in 10^9: convolutions once forward
  /// and twice backward; the elementwise passes are left out.
  package var gigaflopsPerStep: Double { 3 * (encoderGigaflops + decoderGigaflops) }

  /// Multiplications and additions from latent to displacement and logits, in 10^9.
  package var decoderGigaflops: Double {
    var voxels = cells.count
    var flops = 2.0 * 27 * Double(voxels * latentChannels * decoderChannels[0])
    for level in 1..<decoderChannels.count {
      voxels *= 8
      flops += 2 * 8 * Double(voxels * decoderChannels[level - 1] * decoderChannels[level])
    }
    let last = decoderChannels[decoderChannels.count - 1]
    return (flops + 2 * 27 * Double(voxels * last * (3 + labels))) / 1e9
  }

  private var encoderGigaflops: Double {
    let levels = encoderChannels.count
    var flops =
      2.0 * 27 * Double(cells.count * encoderChannels[levels - 1] * 2 * latentChannels)
    for level in 1..<levels {
      let voxels = cells.count << (3 * (levels - 1 - level))
      flops += 2 * 27 * Double(voxels * encoderChannels[level - 1] * encoderChannels[level])
    }
    return flops / 1e9
  }
}
