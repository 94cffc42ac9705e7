import CKernels
import Glibc
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

/// A position between the nodes of a lattice.
private struct LatticePoint {
  private let first: Int
  private let steps: (x: Int, y: Int, z: Int)
  private let share: SIMD3<Float>

  /// `at` lies within the lattice, along width, height and depth.
  init(_ at: SIMD3<Float>, _ nodes: Extents) {
    let low = at.rounded(.down)
    let (x, y, z) = (Int(low.x), Int(low.y), Int(low.z))
    share = at - low
    first = (z * nodes.height + y) * nodes.width + x
    steps = (
      x + 1 < nodes.width ? 16 : 0, y + 1 < nodes.height ? 16 * nodes.width : 0,
      z + 1 < nodes.depth ? 16 * nodes.width * nodes.height : 0
    )
  }

  /// Sixteen channels, linear between the nodes.
  func value(_ channels: UnsafePointer<Float>) -> SIMD16<Float> {
    let start = UnsafeRawPointer(channels + first * 16)
    func load(_ offset: Int) -> SIMD16<Float> {
      start.loadUnaligned(fromByteOffset: 4 * offset, as: SIMD16<Float>.self)
    }
    func row(_ offset: Int) -> SIMD16<Float> {
      let low = load(offset)
      return low + share.x * (load(offset + steps.x) - low)
    }
    func plane(_ offset: Int) -> SIMD16<Float> {
      let low = row(offset)
      return low + share.y * (row(offset + steps.y) - low)
    }
    let low = plane(0)
    return low + share.z * (plane(steps.z) - low)
  }
}

/// Voxels that a loss is summed over: all, or every `stride`-th of the cells between lattice nodes,
/// taken on diagonals; the phases 0 ..< stride together are all voxels once.
package struct VoxelPart: Hashable, Sendable {
  package let stride: Int
  package let phase: Int

  package init(stride: Int, phase: Int) {
    precondition(stride > 0 && (0..<stride).contains(phase), "phase \(phase) of \(stride)")
    self.stride = stride
    self.phase = phase
  }

  package static let all = VoxelPart(stride: 1, phase: 0)
}

/// What was observed at every voxel, `[D, H, W]`, and which loss it makes with the labels'
/// probabilities f.
package enum Observation: Sendable {
  /// -log f of the given label, times the weight of that label if there are any; K and above: not
  /// observed.
  case labels([UInt8], weights: [Float]? = nil)
  /// -sum over k of f_k log table[code][k] (Jensen bound).
  case jensen(codes: [UInt16], table: ObservationTable)
  /// -log sum over k of f_k table[code][k].
  case exact(codes: [UInt16], table: ObservationTable)
  /// 1/2 (sum over k of f_k table[code][k])^2: the table holds residuals, what is expected under a label less
  /// what was observed.
  case square(codes: [UInt16], table: ObservationTable)

  /// Code of a voxel that was not observed.
  package static let unobserved = UInt16(SEGPIPE_UNOBSERVED)

  /// The kernels' view, valid during `body`.
  fileprivate func withKernelObservation<Result>(
    scale: Float, part: VoxelPart, voxels: Int,
    _ body: (KernelView<segpipe_observed>) -> Result
  ) -> Result {
    switch self {
    case .labels(let labels, let weights):
      precondition(labels.count == voxels, "\(labels.count) labels for \(voxels) voxels")
      return labels.withUnsafeBufferPointer { labels in
        (weights ?? []).withUnsafeBufferPointer { values in
          body(
            KernelView(
              value: segpipe_observed(
                kind: Int32(SEGPIPE_CROSS_ENTROPY), target: labels.baseAddress, code: nil,
                table: nil, weight: weights == nil ? nil : values.baseAddress, scale: scale,
                stride: part.stride, phase: part.phase)))
        }
      }
    case .jensen(let codes, let table), .exact(let codes, let table),
      .square(let codes, let table):
      precondition(codes.count == voxels, "\(codes.count) codes for \(voxels) voxels")
      let kind =
        switch self {
        case .jensen: SEGPIPE_JENSEN
        case .square: SEGPIPE_SQUARE
        default: SEGPIPE_EXACT
        }
      return codes.withUnsafeBufferPointer { codes in
        table.values.withUnsafeBufferPointer { table in
          body(
            KernelView(
              value: segpipe_observed(
                kind: Int32(kind), target: nil, code: codes.baseAddress,
                table: table.baseAddress, weight: nil, scale: scale, stride: part.stride,
                phase: part.phase)))
        }
      }
    }
  }
}

/// A value for every code and label, `[codes, padded K]`.
package struct ObservationTable: Sendable {
  package let values: [Float]

  /// Takes `codes` rows of K values.
  package init(codes: Int, labels: Int, _ value: (_ code: Int, _ label: Int) -> Float) {
    let padded = Lanes.padded(labels)
    var values = [Float](repeating: 0, count: codes * padded)
    for code in 0..<codes {
      for label in 0..<labels { values[code * padded + label] = value(code, label) }
    }
    self.values = values
  }

  private init(values: [Float]) { self.values = values }

  /// The table of logarithms, for the Jensen bound; values below 1e-37 count as that.
  package var logarithms: ObservationTable {
    ObservationTable(values: values.map { log(max($0, 1e-37)) })
  }
}
