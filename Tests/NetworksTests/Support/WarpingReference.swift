import Foundation

import Networks

/// `WarpingAutoEncoder` written plainly, in double precision; parameters by their names.
struct WarpingReference {
  typealias Parameters = [String: [Double]]

  let shape: WarpingShape
  let output: WarpReference
  /// What the encoder sees, `[channels, nodes]`; no parameter changes it.
  let features: [Double]

  func encode(_ p: Parameters) -> (mean: [Double], logVariance: [Double]) {
    var (h, extents) = (features, shape.nodes)
    for (level, channels) in shape.encoderChannels.enumerated() {
      (h, extents) = convolution(
        h, extents, channels: channels, "encoder.\(level)", p, bias: .position(scale: 1),
        stride: level < shape.halvings ? 2 : 1)
    }
    (h, _) = convolution(
      h, extents, channels: 2 * shape.latentChannels, "posterior", p, bias: .linear)
    // Label volumes determine their latents well: the log-variance starts at -3.
    return (Array(h[..<shape.latent]), h[shape.latent...].map { $0 - 3 })
  }

  /// `[3, nodes]` and `[K, nodes]`.
  func decode(_ z: [Double], _ p: Parameters) -> (shift: [Double], logits: [Double]) {
    var (h, extents) = (z, shape.cells)
    for (level, channels) in shape.decoderChannels.enumerated() {
      let isLast = level > 0 && level == shape.decoderChannels.count - 1
      if level > 0 {
        h = Reference.upsample(
          h, channels: shape.decoderChannels[level - 1], extents: extents)
        extents = extents.doubled
      }
      (h, extents) = convolution(
        h, extents, channels: channels, "decoder.\(level)", p,
        bias: isLast ? .channel : .position(scale: 0.2))
    }
    func head(_ name: String, _ channels: Int) -> [Double] {
      convolution(h, extents, channels: channels, name, p, bias: .linear).y
    }
    return (head("shift", 3), head("logits", shape.labels))
  }

  func loss(at z: [Double], _ observed: Observation, _ p: Parameters) -> Double {
    let (shift, logits) = decode(z, p)
    return output.loss(shift: shift, logits: logits, observed: observed)
  }

  /// Cross-entropy + beta KL.
  func loss(
    labels: [UInt8], weights: [Float]?, epsilon: [Float], beta: Double, _ p: Parameters
  ) -> Double {
    let (mean, logVariance) = encode(p)
    let z = mean.indices.map { mean[$0] + exp(0.5 * logVariance[$0]) * Double(epsilon[$0]) }
    let divergence = zip(mean, logVariance).map { 0.5 * ($0 * $0 + exp($1) - $1 - 1) }
    return loss(at: z, .labels(labels, weights: weights), p) + beta * divergence.reduce(0, +)
  }

  private func convolution(
    _ x: [Double], _ extents: Extents, channels: Int, _ name: String, _ p: Parameters,
    bias: LayerBias, stride: Int = 1
  ) -> (y: [Double], extents: Extents) {
    let out = ActivationShape(
      channels: channels, extents: stride == 2 ? extents.halved : extents)
    let y = Reference.convolution(
      x, channels: x.count / extents.count, extents: extents, weight: p["\(name).weight"] ?? [],
      bias: [Double](repeating: 0, count: channels), stride: stride)
    return (Reference.finish(y, out, p["\(name).bias"] ?? [], bias), out.extents)
  }
}
