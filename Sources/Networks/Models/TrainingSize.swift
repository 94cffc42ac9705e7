/// Adds up the memory that training a network takes, before any is taken.
struct TrainingSize {
  private var numbers = 0

  var bytes: Int { numbers * MemoryLayout<Float>.stride }

  /// An activation, blocked, and its gradient.
  mutating func addActivation(_ channels: Int, _ extents: Extents, copies: Int = 2) {
    numbers += copies * Lanes.padded(channels) * extents.count
  }

  /// Weights, their gradients, and both moments of the optimiser.
  mutating func addWeights(_ count: Int) { numbers += 4 * count }

  /// A convolution with its output, as `PackedConvolution` packs it; its gradient is summed over
  /// `parts`, the planes of the narrower side. `isTiled`: of stride 1, made in tiles.
  mutating func addLayer(
    _ inputs: Int, _ outputs: Int, _ extents: Extents, taps: Int = 27, parts: Int? = nil,
    isTiled: Bool = false, hasPositions: Bool = false, copies: Int = 2
  ) {
    addActivation(outputs, extents, copies: copies)
    addWeights(27 * inputs * outputs)
    let pairs = Lanes.padded(inputs) * Lanes.padded(outputs)
    numbers += pairs * (2 * (isTiled ? 64 : taps) + taps * min(16, parts ?? extents.depth))
    // An upsampling layer's own kernel and its gradient.
    if taps > 27 { numbers += 2 * taps * inputs * outputs }
    if hasPositions {
      let biases = Lanes.padded(outputs) * extents.count
      addWeights(biases)
      numbers += biases
    }
  }
}
