import Imaging
import Parallel

/// A group prior read at positions in mm along the atlas's voxel axes, as displacements use them.
struct PriorView: Sendable {
  let prior: GroupPrior
  /// Voxels of the padded prior for each mm, and the position of the atlas's first voxel in it.
  private let scale: SIMD3<Float>
  private let offset: SIMD3<Float>

  /// `atlas` is the atlas grid, whose first voxel's centre is position 0.
  init(prior: GroupPrior, atlas: Grid) {
    self.prior = prior
    let factor = prior.grid.spacing / atlas.spacing
    scale = SIMD3<Float>(1 / prior.grid.spacing)
    // Block n of `factor` voxels has its centre at voxel n * factor + (factor - 1) / 2; the shell adds 1.
    let first = (factor - SIMD3(repeating: 1)) / 2 / factor
    offset = SIMD3<Float>(SIMD3(repeating: 1) - first)
  }

  /// Positions for the kernels, of samples that lie at `base` where nothing is displaced.
  func positions(_ base: [Float], displaced displacement: Displacement) -> [Float] {
    let (scale, offset) = (scale, offset)
    return displacement.displaced(base) { $0 * scale + offset }
  }

  /// Sum of log-likelihoods, nats, at the kernels' positions; gradients per mm.
  func logLikelihood(
    _ positions: [Float], rows: [UInt16], table: LikelihoodTable, gradients: inout [Float]?
  ) -> Double {
    let sum = prior.logLikelihood(
      positions: positions, rows: rows, table: table, gradients: &gradients)
    if var values = gradients.take() {
      let count = values.count / 3
      values.withUnsafeMutableBufferPointer { buffer in
        nonisolated(unsafe) let out = buffer
        let scale = scale
        Parallel.forEachRange(of: count, size: 1 << 15) { range in
          for j in range {
            out[3 * j] *= scale.x
            out[3 * j + 1] *= scale.y
            out[3 * j + 2] *= scale.z
          }
        }
      }
      gradients = values
    }
    return sum
  }
}
