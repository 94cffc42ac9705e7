import CKernels
import Parallel

/// The last layer: ELU of the features, a 1x1x1 convolution to K logits, the log prior, softmax,
/// loss and all gradients, fused in one pass over tiles of 64 voxels. The K values of a voxel exist
/// only within its tile.
///
/// Shapes: features `[C, D, H, W]` before bias and ELU, featureBias `[C]`, weight `[K, C, 1, 1,
/// 1]`, bias `[K]`.
///
///     h = ELU(x + featureBias)
///     f_k = softmax over k of (bias_k + sum over c of weight_kc h_c + log prior_k)
package final class OutputLayer {
  package let features: ActivationShape
  package let labelCount: Int
  private let weight: Parameter
  private let bias: Parameter
  private let padded: Int
  /// `[K][padded C]`, `[K]`, `[padded C]`.
  private let weights: Tensor
  private let biases: Tensor
  private let featureBiases: Tensor
  private static let tilesPerPart = 256
  /// Nats of a label that the prior has no entry for: about those of one part in a million.
  package static let missingLoss: Float = 14

  /// The parameters are called `name`.weight and `name`.bias. At most 64 channels and 255 labels.
  /// Throws `NetworkError.outOfMemory`.
  package init(
    _ name: String, features: ActivationShape, labels: Int, parameters: inout ParameterList
  ) throws {
    precondition((1...255).contains(labels), "labels (=\(labels)) must be 1 to 255")
    precondition(
      features.channels <= Int(SEGPIPE_MAX_CHANNELS),
      "channels (=\(features.channels)) must be at most \(SEGPIPE_MAX_CHANNELS)")
    self.features = features
    self.labelCount = labels
    self.weight = parameters.add(
      "\(name).weight", [labels, features.channels, 1, 1, 1], fanIn: features.channels)
    self.bias = parameters.add("\(name).bias", [labels], fanIn: features.channels)
    self.padded = features.paddedChannels
    self.weights = try Tensor(count: labels * padded)
    self.biases = try Tensor(count: labels)
    self.featureBiases = try Tensor(count: padded)
  }

  /// Takes the weights to compute with; `featureBias` is the bias of the layer before, `[C]`.
  package func update(from values: ParameterValues, featureBias: Tensor) {
    let channels = features.channels
    for label in 0..<labelCount {
      weights.slice(label * padded, count: channels).assign(
        values[weight].slice(label * channels, count: channels).elements)
    }
    biases.assign(values[bias].elements)
    featureBiases.slice(0, count: channels).assign(featureBias.elements.prefix(channels))
  }

  /// The loss in nats, summed over voxels: -log f of the given label, `[D, H, W]`. A label that the
  /// prior has no entry for costs `missing` nats and has no gradient.
  package func forward(
    _ x: Tensor, prior: LabelPrior, target: [UInt8], missing: Float = missingLoss
  ) -> Double {
    run(x, prior: prior, target: target, missing: missing, scale: 1, partials: nil)
  }

  /// The loss in nats, summed over voxels, times `scale`; and its gradients.
  ///
  /// x is overwritten by the gradient with respect to it. `gradients` and `featureBiasGradient`
  /// `[C]` are added to. Throws `NetworkError.outOfMemory`.
  package func forwardBackward(
    _ x: Tensor, prior: LabelPrior, target: [UInt8], missing: Float = missingLoss,
    scale: Float = 1, gradients: ParameterValues, featureBiasGradient: Tensor
  ) throws -> Double {
    let size = labelCount * (padded + 16) + padded
    let partials = try Tensor(count: parts(of: prior) * size)
    let value = run(
      x, prior: prior, target: target, missing: missing, scale: scale, partials: partials)
    var sums = [Double](repeating: 0, count: size)
    for part in 0..<parts(of: prior) {
      for i in 0..<size { sums[i] += Double(partials.pointer[part * size + i]) }
    }
    let channels = features.channels
    for label in 0..<labelCount {
      for channel in 0..<channels {
        gradients[weight].pointer[label * channels + channel] += Float(
          sums[label * padded + channel])
      }
      let addends = labelCount * padded + label * 16
      gradients[bias].pointer[label] += Float(sums[addends..<addends + 16].reduce(0, +))
    }
    for channel in 0..<channels {
      featureBiasGradient.pointer[channel] += Float(sums[labelCount * (padded + 16) + channel])
    }
    return value
  }

  /// Most probable label, and log sum over k of exp(logit_k + log prior_k), at every voxel.
  package func decode(
    _ x: Tensor, prior: LabelPrior, labels: inout [UInt8], logNormaliser: Tensor?
  ) {
    check(prior)
    precondition(labels.count == prior.voxels, "\(labels.count) labels for \(prior.voxels) voxels")
    labels.withUnsafeMutableBufferPointer { labels in
      nonisolated(unsafe) let output = labels.baseAddress
      withLayer(prior) { layer in
        Parallel.forEachRange(of: prior.tiles, size: Self.tilesPerPart) { range in
          var layer = layer.value
          segpipe_output_decode(
            &layer, x.pointer, output, logNormaliser?.pointer, range.lowerBound, range.upperBound)
        }
      }
    }
  }

  /// Calls `body` with each plane of voxels along depth and its probabilities `[H, W, padded K]`,
  /// from several threads; a label that the prior has no entry for nearby gets 0.
  package func forEachPlane(
    _ x: Tensor, prior: LabelPrior,
    _ body: @Sendable (_ plane: Int, _ probabilities: UnsafeBufferPointer<Float>) -> Void
  ) {
    check(prior)
    let (tile, row) = (LabelPrior.tile, Lanes.padded(labelCount))
    let voxels = features.extents.height * features.extents.width
    withLayer(prior) { layer in
      Parallel.forEach(features.extents.depth) { z in
        var layer = layer.value
        // Tiles need not begin where planes do.
        let tiles = z * voxels / tile..<((z + 1) * voxels + tile - 1) / tile
        let count = tiles.count * tile * row
        withUnsafeTemporaryAllocation(of: Float.self, capacity: count) { values in
          guard let base = values.baseAddress else { return }
          segpipe_output_probabilities(
            &layer, x.pointer, base, tiles.lowerBound, tiles.upperBound)
          let first = z * voxels - tiles.lowerBound * tile
          body(z, UnsafeBufferPointer(rebasing: values[first * row..<(first + voxels) * row]))
        }
      }
    }
  }

  // MARK: - Calling the kernels

  private func parts(of prior: LabelPrior) -> Int {
    (prior.tiles + Self.tilesPerPart - 1) / Self.tilesPerPart
  }

  private func check(_ prior: LabelPrior) {
    precondition(
      prior.voxels == features.extents.count && prior.labelCount == labelCount,
      "a prior of \(prior.labelCount) labels at \(prior.voxels) voxels, expected \(labelCount) on "
        + "\(features.extents)")
  }

  /// The loss, and, with `partials`, gradients: sums of the weights' go there, x is overwritten.
  private func run(
    _ x: Tensor, prior: LabelPrior, target: [UInt8], missing: Float, scale: Float,
    partials: Tensor?
  ) -> Double {
    check(prior)
    precondition(target.count == prior.voxels, "\(target.count) labels for \(prior.voxels) voxels")
    return target.withUnsafeBufferPointer { target in
      let loss = KernelView(
        value: segpipe_loss(target: target.baseAddress, missing: missing, scale: scale))
      return withLayer(prior) { layer in
        let size = partials.map { $0.count / parts(of: prior) } ?? 0
        let losses = Parallel.map(parts(of: prior)) { part in
          var (layer, loss) = (layer.value, loss.value)
          return segpipe_output_loss(
            &layer, &loss, x.pointer, partials.map { $0.pointer + part * size },
            part * Self.tilesPerPart, min(prior.tiles, (part + 1) * Self.tilesPerPart))
        }
        return losses.reduce(0, +)
      }
    }
  }

  /// The kernels' view of this layer and a prior, valid during `body`.
  private func withLayer<Result>(
    _ prior: LabelPrior, _ body: (KernelView<segpipe_output>) -> Result
  ) -> Result {
    prior.start.withUnsafeBufferPointer { start in
      prior.labels.withUnsafeBufferPointer { labels in
        body(
          KernelView(
            value: segpipe_output(
              voxels: prior.voxels, channels: features.channels,
              label_count: labelCount, weights: weights.pointer, bias: biases.pointer,
              feature_bias: featureBiases.pointer, start: start.baseAddress,
              labels: labels.baseAddress, log_prior: prior.logPrior)))
      }
    }
  }
}
