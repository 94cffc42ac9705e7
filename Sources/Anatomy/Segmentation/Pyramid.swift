import Imaging
import Parallel

/// Coarser versions of a scan by averages over blocks of voxels.
package enum Pyramid {
  /// Whole numbers of voxels along each axis that come closest to `spacing` mm without exceeding it by
  /// more than half a voxel; at least 1.
  package static func factors(for grid: Grid, spacing: Double) -> SIMD3<Int> {
    let n = (SIMD3(repeating: spacing) / grid.spacing).rounded(.toNearestOrAwayFromZero)
    return SIMD3(max(1, Int(n.x)), max(1, Int(n.y)), max(1, Int(n.z)))
  }

  /// Means over blocks. Zeros (padding) and missing voxels are no part of a mean; a block of which they
  /// fill more than half is zero, or missing, itself.
  package static func averaged(_ volume: Volume<Float>, factors f: SIMD3<Int>) -> Volume<Float> {
    if f == SIMD3(repeating: 1) { return volume }
    let fine = volume.grid
    let grid = fine.coarsened(by: f)
    var result = [Float](repeating: 0, count: grid.count)
    let (nx, ny, nz) = (grid.extents.x, grid.extents.y, grid.extents.z)
    result.withUnsafeMutableBufferPointer { buffer in
      volume.voxels.withUnsafeBufferPointer { source in
        nonisolated(unsafe) let (out, voxels) = (buffer, source)
        Parallel.forEach(nz) { z in
          var sums = [Float](repeating: 0, count: nx)
          var used = [Int32](repeating: 0, count: nx)
          var missing = [Int32](repeating: 0, count: nx)
          for y in 0..<ny {
            for x in 0..<nx {
              sums[x] = 0
              used[x] = 0
              missing[x] = 0
            }
            let depth = min((z + 1) * f.z, fine.extents.z)
            let height = min((y + 1) * f.y, fine.extents.y)
            for fz in z * f.z..<depth {
              for fy in y * f.y..<height {
                let row = fine.index(0, fy, fz)
                for x in 0..<nx {
                  for fx in x * f.x..<min((x + 1) * f.x, fine.extents.x) {
                    let value = voxels[row + fx]
                    if value != value {
                      missing[x] += 1
                    } else if value != 0 {
                      sums[x] += value
                      used[x] += 1
                    }
                  }
                }
              }
            }
            let lines = (depth - z * f.z) * (height - y * f.y)
            for x in 0..<nx {
              let all = Int32(lines * (min((x + 1) * f.x, fine.extents.x) - x * f.x))
              let target = grid.index(x, y, z)
              if 2 * used[x] >= all {
                out[target] = sums[x] / Float(used[x])
              } else {
                out[target] = 2 * missing[x] > all ? .nan : 0
              }
            }
          }
        }
      }
    }
    return Volume(grid: grid, voxels: result)
  }
}
