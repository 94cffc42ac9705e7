/// A variational auto-encoder of label volumes, whatever its architecture.
///
///     loss = -log p(labels given z) + beta KL(q(z given labels), N(0, I))
///     z = mean + exp(logVariance / 2) epsilon
package protocol LabelModel: AnyObject {
  /// Latent dimensions.
  var latentCount: Int { get }
  var parameters: ParameterValues { get }
  /// Nil if the model was not made for training.
  var gradients: ParameterValues? { get }

  /// To be called after the weights have changed: packs them for the layers.
  func update()

  /// One pass forward and backward; gradients are overwritten, those of the reconstruction times
  /// `scale`, those of the divergence times `scale` and `beta`. Labels `[D, H, W]` of K and above
  /// are unknown; epsilon `[latent]` is drawn from N(0, 1). A model may judge the reconstruction by
  /// `part` of the voxels alone, its sum scaled up to all; one that cannot takes all.
  func differentiate(
    _ labels: [UInt8], epsilon: [Float], beta: Float, scale: Float, part: VoxelPart
  ) throws -> LabelLoss

  /// q(z given labels).
  func encode(_ labels: [UInt8]) throws -> GaussianLatent

  /// Cross-entropy of a label volume at z, in nats, summed over voxels.
  func loss(_ labels: [UInt8], at z: [Float]) throws -> Double

  /// The most probable label at every voxel, `[D, H, W]`.
  func decode(_ z: [Float]) throws -> [UInt8]

  /// Calls `body` with each plane of voxels along depth and its labels' probabilities, `[H, W,
  /// padded K]` (K rounded up to a multiple of 16), from several threads, in no order.
  func probabilities(
    at z: [Float], _ body: @Sendable (_ plane: Int, _ values: UnsafeBufferPointer<Float>) -> Void
  ) throws
}

/// The terms of the loss of a label volume, in nats.
package struct LabelLoss: Sendable, Equatable {
  /// Cross-entropy of the label volume, summed over voxels.
  package let reconstruction: Double
  /// KL(q, N(0, I)), not weighted.
  package let divergence: Double

  package init(reconstruction: Double, divergence: Double) {
    self.reconstruction = reconstruction
    self.divergence = divergence
  }
}
