import CKernels
import Imaging
import Parallel

extension LocationPrior {
  /// The most probable label at every voxel of another grid, as a position in the table:
  /// probabilities are interpolated linearly, the lower label wins a tie, and beyond the prior's grid
  /// all is background.
  ///
  /// `affine` takes world mm of `target` to world mm of the prior's grid.
  package func labels(on target: Grid, through affine: Affine) -> [UInt8] {
    let bounded = LocationPrior(
      grid: grid, table: table, outside: (0..<table.count).map { $0 == 0 ? 1 : 0 },
      starts: starts, entries: entries)
    let toVoxel = grid.affine.inverse * affine * target.affine
    let (width, height, count) = (target.extents.x, target.extents.y, table.count)
    let likelihood = LabelLikelihood.even(labels: count)
    let rows = [UInt16](repeating: 1, count: width)
    var labels = [UInt8](repeating: 0, count: target.count)
    labels.withUnsafeMutableBufferPointer { buffer in
      nonisolated(unsafe) let out = buffer
      Parallel.forEach(target.extents.z) { z in
        var positions = [Float](repeating: 0, count: 3 * width)
        var sums = [Float](repeating: 0, count: count)
        bounded.withKernelPrior { prior in
          for y in 0..<height {
            let start = toVoxel(SIMD3(0, Double(y), Double(z)))
            for x in 0..<width {
              let at = start + toVoxel.columns.0 * Double(x)
              for axis in 0..<3 { positions[3 * x + axis] = Float(at[axis]) }
            }
            likelihood.withKernelLikelihood {
              segpipe_label_posterior(
                prior, positions, rows, width, $0, 0, 0,
                out.baseAddress.map { $0 + (z * height + y) * width }, nil, &sums)
            }
          }
        }
      }
    }
    return labels
  }
}
