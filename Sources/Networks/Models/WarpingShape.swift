/// The sizes of an auto-encoder of label volumes whose decoder warps a location prior.
package struct WarpingShape: Hashable, Sendable, Codable {
  /// K.
  package let labels: Int
  /// Extents of the label volume, each a multiple of `factor * 2^halvings`.
  package let depth: Int
  package let height: Int
  package let width: Int
  /// Latent dimensions in each cell of the coarsest level.
  package let latentChannels: Int
  /// Voxels along each axis for one lattice node of displacement and logits.
  package let factor: Int
  /// Channels of the encoder's convolutions: as many halving ones as lie between lattice and cells,
  /// then those of stride 1.
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
    labels: Int, extents: Extents, latentChannels: Int, factor: Int, encoderChannels: [Int],
    decoderChannels: [Int], floor: Float = standardFloor
  ) throws {
    self.labels = labels
    self.depth = extents.depth
    self.height = extents.height
    self.width = extents.width
    self.latentChannels = latentChannels
    self.factor = factor
    self.encoderChannels = encoderChannels
    self.decoderChannels = decoderChannels
    self.floor = floor
    try validate()
  }

  /// Displacement and logits at every fourth voxel, cells of 16 voxels along each axis or the largest
  /// below that the extents allow.
  package static func standard(
    labels: Int, extents: Extents, latentChannels: Int
  ) throws -> WarpingShape {
    let sizes = [extents.depth, extents.height, extents.width]
    let halvings = (0...2).last { levels in sizes.allSatisfy { $0 % (4 << levels) == 0 } } ?? 0
    return try WarpingShape(
      labels: labels, extents: extents, latentChannels: latentChannels, factor: 4,
      encoderChannels: [Int](repeating: 64, count: halvings + 1),
      decoderChannels: Array([64, 64, 16].suffix(halvings + 1)))
  }

  package var extents: Extents { Extents(depth, height, width) }

  /// Halvings between lattice and cells.
  package var halvings: Int { decoderChannels.count - 1 }

  /// Voxels of a cell along each axis.
  private var cellSize: Int { factor << halvings }

  /// Extents of the lattice.
  package var nodes: Extents { Extents(depth / factor, height / factor, width / factor) }

  /// Extents of the coarsest level.
  package var cells: Extents {
    Extents(depth / cellSize, height / cellSize, width / cellSize)
  }

  /// Latent dimensions.
  package var latent: Int { latentChannels * cells.count }

  private func validate() throws {
    func require(_ condition: Bool, _ reason: String) throws {
      if !condition { throw NetworkError.invalidShape(reason: reason) }
    }
    try require((1...254).contains(labels), "labels (=\(labels)) must be 1 to 254")
    try require(latentChannels > 0, "latent channels (=\(latentChannels)) must be positive")
    // The encoder reads the prior at half the resolution, where the factor must still be even.
    try require(factor > 0 && factor % 4 == 0, "the factor (=\(factor)) must be a multiple of 4")
    try require(
      (1...6).contains(decoderChannels.count),
      "the decoder (=\(decoderChannels)) needs 1 to 6 levels")
    try require(
      encoderChannels.count >= halvings,
      "the encoder (=\(encoderChannels)) must halve as often as the decoder doubles (=\(halvings))")
    try require(
      (encoderChannels + decoderChannels).allSatisfy { $0 > 0 }, "channels must be positive")
    try require(floor > 0 && floor < 0.01, "the floor (=\(floor)) must lie between 0 and 0.01")
    for extent in [depth, height, width] {
      try require(
        extent > 0 && extent % cellSize == 0,
        "extents (=\(extents)) must be multiples of \(cellSize)")
    }
  }

  /// Bytes that training takes, about: every layer's output and weights with what is kept beside them.
  package var trainingBytes: Int {
    var size = TrainingSize()
    var (at, inputs) = (nodes, Lanes.padded(labels) + Lanes.padded(3))
    // What the encoder sees, its gradient, and the undisplaced prior's input.
    size.addActivation(inputs, at, copies: 3)
    for (level, channels) in encoderChannels.enumerated() {
      if level < halvings { at = at.halved }
      size.addLayer(inputs, channels, at, isTiled: level >= halvings, hasPositions: true)
      inputs = channels
    }
    size.addLayer(inputs, 2 * latentChannels, at, isTiled: true)
    size.addActivation(latentChannels, at)
    size.addLayer(latentChannels, decoderChannels[0], at, isTiled: true, hasPositions: true)
    for level in 0..<halvings {
      at = at.doubled
      size.addLayer(
        decoderChannels[level], decoderChannels[level + 1], at, taps: 64, parts: at.depth / 2,
        hasPositions: level + 1 < halvings)
    }
    size.addActivation(decoderChannels[halvings], at, copies: 1)
    for channels in [3, labels] {
      size.addLayer(decoderChannels[halvings], channels, at, isTiled: true)
    }
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

  /// The first convolution passes no gradient on.
  private var encoderGigaflops: Double {
    var (extents, input, flops) = (nodes, Lanes.padded(labels) + Lanes.padded(3), 0.0)
    for (level, channels) in (encoderChannels + [2 * latentChannels]).enumerated() {
      if level < halvings { extents = extents.halved }
      flops += 2 * 27 * Double(extents.count * input * channels) * (level == 0 ? 2 / 3.0 : 1)
      input = channels
    }
    return flops / 1e9
  }
}
