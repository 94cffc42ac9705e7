import CKernels

/// What an `OutputLayer` is to lower at each voxel, with f the softmax of logits plus log prior.
package enum OutputLoss: Sendable {
  /// -log f of the given label, which is `[D, H, W]`. A label that the prior has no entry for costs
  /// `missing` nats and has no gradient.
  case crossEntropy(target: [UInt8], missing: Float = 14)
  /// -sum over k of f_k l_k (Jensen bound).
  case jensen(LabelLikelihood)
  /// -log sum over k of f_k exp(l_k).
  case exact(LabelLikelihood)
}

/// Log-likelihood of what was observed at each voxel, given each group of labels.
package struct LabelLikelihood: Sendable {
  /// `[tiles][groups][64]`, in nats: voxel v is in tile v / 64, at v % 64. The last tile is filled
  /// up with zeros.
  package let values: [Float]
  /// Group of each label, `[K]`.
  package let group: [UInt8]
  /// Number of groups.
  package let groups: Int

  package init(values: [Float], group: [UInt8], groups: Int) {
    self.values = values
    self.group = group
    self.groups = groups
  }
}

/// A C structure of pointers that a kernel reads from several threads; valid as long as what it
/// points at.
struct KernelView<Value>: @unchecked Sendable {
  let value: Value
}

extension OutputLoss {
  /// The kernels' view of this loss, valid during `body`.
  func withKernelLoss<Result>(
    scale: Float, voxels: Int, tiles: Int, _ body: (KernelView<segpipe_loss>) -> Result
  ) -> Result {
    func withLikelihood(_ likelihood: LabelLikelihood, kind: Int) -> Result {
      let expected = tiles * likelihood.groups * LabelPrior.tile
      precondition(
        likelihood.values.count == expected,
        "\(likelihood.values.count) log-likelihoods, expected \(expected)")
      return likelihood.values.withUnsafeBufferPointer { values in
        likelihood.group.withUnsafeBufferPointer { group in
          body(
            KernelView(
              value: segpipe_loss(
                kind: Int32(kind), target: nil, missing: 0, likelihood: values.baseAddress,
                group: group.baseAddress, groups: likelihood.groups, scale: scale)))
        }
      }
    }
    switch self {
    case .crossEntropy(let target, let missing):
      precondition(target.count == voxels, "\(target.count) labels for \(voxels) voxels")
      return target.withUnsafeBufferPointer { target in
        body(
          KernelView(
            value: segpipe_loss(
              kind: Int32(SEGPIPE_CROSS_ENTROPY), target: target.baseAddress, missing: missing,
              likelihood: nil, group: nil, groups: 0, scale: scale)))
      }
    case .jensen(let likelihood):
      return withLikelihood(likelihood, kind: SEGPIPE_JENSEN)
    case .exact(let likelihood):
      return withLikelihood(likelihood, kind: SEGPIPE_EXACT)
    }
  }
}
