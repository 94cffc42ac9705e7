import CKernels
import Parallel

/// The last layer of a decoder that warps a prior and adds residual logits; softmax, loss and
/// gradients are one pass, in which the K values of a voxel exist only in registers.
///
/// Shapes: shift `[3, D / s, H / s, W / s]` (along width, height, depth, in units of `reach` voxels),
/// logits `[K, D / s, H / s, W / s]`, both at the middles of s^3 voxels and linear between; prior
/// `[K, D, H, W]`.
///
///     mass_k(x) = (prior_k(x + reach shift(x)) + floor) exp(logit_k(x))
///     f_k = mass_k / sum over k of mass_k
///
/// The pass is sparse in labels: blocks of 16 labels that the prior does not have near the displaced
/// position keep the mass `floor`, and where it knows one label alone no logits are added.
package final class WarpedPrior {
  package let prior: BytePrior
  /// s.
  package let factor: Int
  /// Least probability of a label before softmax.
  package let floor: Float
  /// Voxels of displacement for a shift of 1.
  package let reach: Float
  /// Shapes of both inputs.
  package let shift: ActivationShape
  package let logits: ActivationShape

  /// Voxels of displacement for a shift of 1 at the resolution that networks are trained at.
  package static let standardReach: Float = 1

  /// `factor` is even and divides the extents.
  package init(
    _ prior: BytePrior, factor: Int, floor: Float, reach: Float = standardReach
  ) {
    let extents = prior.extents
    precondition(
      factor % 2 == 0
        && [extents.depth, extents.height, extents.width].allSatisfy { $0 % factor == 0 },
      "extents (=\(extents)) must be multiples of the factor (=\(factor))")
    self.prior = prior
    self.factor = factor
    self.floor = floor
    self.reach = reach
    let nodes = Extents(extents.depth / factor, extents.height / factor, extents.width / factor)
    shift = ActivationShape(channels: 3, extents: nodes)
    logits = ActivationShape(channels: prior.labelCount, extents: nodes)
  }

  /// The same layer, with the same lattice, over voxels twice as large.
  package func halved() -> WarpedPrior {
    WarpedPrior(prior.halved(), factor: factor / 2, floor: floor, reach: reach / 2)
  }

  /// The loss in nats, summed over the voxels of `part`, times `scale`. Gradients with respect to
  /// both inputs are written to `gradients` unless it is nil.
  package func loss(
    shift: Tensor, logits: Tensor, observed: Observation, part: VoxelPart = .all, scale: Float = 1,
    gradients: (shift: Tensor, logits: Tensor)? = nil
  ) -> Double {
    gradients?.shift.fill(with: 0)
    gradients?.logits.fill(with: 0)
    let slabs = self.shift.extents.depth + 1
    return observed.withKernelObservation(
      scale: scale, part: part, voxels: prior.extents.count
    ) { observed in
      withKernel(shift, logits) { kernel in
        // Neighbouring slabs add to the same nodes: the even ones first, then the odd ones.
        (0..<2).map { parity in
          Parallel.map((slabs + 1 - parity) / 2) { index in
            var (kernel, observed) = (kernel.value, observed.value)
            return segpipe_warped_loss(
              &kernel, &observed, gradients?.shift.pointer, gradients?.logits.pointer,
              2 * index + parity)
          }.reduce(0, +)
        }.reduce(0, +)
      }
    }
  }

  /// Calls `body` with each plane of voxels along depth and its probabilities `[H, W, padded K]`,
  /// from several threads; `logNormaliser` `[D, H, W]`, if given, becomes the log of the sum of
  /// masses.
  package func forEachPlane(
    shift: Tensor, logits: Tensor, logNormaliser: Tensor? = nil,
    _ body: @Sendable (_ plane: Int, _ probabilities: UnsafeBufferPointer<Float>) -> Void
  ) {
    let extents = prior.extents
    let row = extents.width * self.logits.paddedChannels
    withKernel(shift, logits) { kernel in
      Parallel.forEach(extents.depth) { z in
        var kernel = kernel.value
        withUnsafeTemporaryAllocation(of: Float.self, capacity: extents.height * row) { plane in
          guard let base = plane.baseAddress else { return }
          for y in 0..<extents.height {
            segpipe_warped_row(
              &kernel, z, y, base + y * row,
              logNormaliser.map { $0.pointer + (z * extents.height + y) * extents.width })
          }
          body(z, UnsafeBufferPointer(plane))
        }
      }
    }
  }

  /// The most probable label at every voxel, `[D, H, W]`; the lower one wins a tie.
  package func mostProbable(
    shift: Tensor, logits: Tensor, logNormaliser: Tensor? = nil
  ) -> [UInt8] {
    let (voxels, padded) = (prior.extents.height * prior.extents.width, self.logits.paddedChannels)
    let labelCount = prior.labelCount
    var labels = [UInt8](repeating: 0, count: prior.extents.count)
    labels.withUnsafeMutableBufferPointer { labels in
      nonisolated(unsafe) let labels = labels
      forEachPlane(shift: shift, logits: logits, logNormaliser: logNormaliser) { plane, values in
        for voxel in 0..<voxels {
          let first = voxel * padded
          var best = 0
          for label in 1..<max(1, labelCount) where values[first + label] > values[first + best] {
            best = label
          }
          labels[plane * voxels + voxel] = UInt8(best)
        }
      }
    }
    return labels
  }

  /// Logits from where their voxels lie to where the prior has these, times `weight`: what is added at x + reach
  /// shift(x) before the prior is displaced is what `logits` add at x after it. Both are on the lattice; `carried` is
  /// written.
  package func carry(_ logits: Tensor, by shift: Tensor, weight: Float, into carried: Tensor) {
    let nodes = self.logits.extents
    let blocks = self.logits.paddedChannels / 16
    let perUnit = reach / Float(factor)
    let most = SIMD3<Float>(
      Float(nodes.width - 1), Float(nodes.height - 1), Float(nodes.depth - 1))
    Parallel.forEach(nodes.depth) { z in
      for y in 0..<nodes.height {
        for x in 0..<nodes.width {
          let node = SIMD3(Float(x), Float(y), Float(z))
          var at = node
          for _ in 0..<Self.inversionSteps {
            let moved = LatticePoint(at, nodes).value(shift.pointer)
            at = (node - perUnit * SIMD3(moved[0], moved[1], moved[2]))
              .clamped(lowerBound: .zero, upperBound: most)
          }
          let point = LatticePoint(at, nodes)
          let voxel = (z * nodes.height + y) * nodes.width + x
          for block in 0..<blocks {
            let first = block * nodes.count * 16
            let value = weight * point.value(logits.pointer + first)
            UnsafeMutableRawPointer(carried.pointer + first + voxel * 16)
              .storeBytes(of: value, as: SIMD16<Float>.self)
          }
        }
      }
    }
  }

  /// Rounds of x <- y - reach shift(x): a displacement whose slope is below 1/2 is inverted to a 64th of its length.
  private static let inversionSteps = 6

  /// The kernels' view of this layer and its inputs, valid during `body`.
  private func withKernel<Result>(
    _ shift: Tensor, _ logits: Tensor, _ body: (KernelView<segpipe_warped>) -> Result
  ) -> Result {
    prior.start.withUnsafeBufferPointer { start in
      prior.mask.withUnsafeBufferPointer { mask in
        prior.pure.withUnsafeBufferPointer { pure in
          prior.values.withUnsafeBufferPointer { values in
            body(
              KernelView(
                value: segpipe_warped(
                  depth: prior.extents.depth, height: prior.extents.height,
                  width: prior.extents.width, factor: factor, labels: prior.labelCount,
                  floor: floor, reach: reach, start: start.baseAddress, mask: mask.baseAddress,
                  pure: pure.baseAddress, values: values.baseAddress, shift: shift.pointer,
                  logits: logits.pointer)))
          }
        }
      }
    }
  }
}
