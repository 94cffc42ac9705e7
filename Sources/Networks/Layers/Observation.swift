import CKernels

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
  func withKernelObservation<Result>(
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
