import CKernels
import Imaging
import Networks
import Parallel

/// The location prior summed over the labels of each tissue group, dense and ready for interpolation.
///
/// Groups share their intensities, so registration, the intensity model and the warp need no more than
/// this. Shape `(nz + 2) x (ny + 2) x (nx + 2) x lanes`, in 1/255: `lanes` is the number of groups rounded
/// up to 16, and the outermost shell of voxels holds what applies beyond the grid.
package struct GroupPrior: Sendable {
  /// The grid without its shell.
  package let grid: Grid
  package let groups: Int
  /// Groups that the kernels hold.
  package static let mostGroups = 256
  package let lanes: Int
  private let values: [UInt8]

  /// Averages blocks of `factor`^3 voxels of a location prior, summed over tissue groups.
  package init(_ prior: LocationPrior, factor: Int) {
    self.init(
      prior, factor: factor, groupOf: prior.table.groupOfLabel, groups: prior.table.groups.count)
  }

  /// The same for any partition of the labels: `groupOf` has one entry a label, below `groups`.
  package init(_ prior: LocationPrior, factor: Int, groupOf: [Int], groups: Int) {
    let fine = prior.grid
    let grid = fine.coarsened(by: SIMD3(repeating: factor))
    let lanes = Lanes.padded(groups)
    var outside = [Float](repeating: 0, count: lanes)
    for (label, probability) in prior.outside.enumerated() {
      outside[groupOf[label]] += probability
    }
    let shell = outside.map { UInt8(clamping: Int(($0 * 255).rounded())) }

    let nx = grid.extents.x + 2
    let ny = grid.extents.y + 2
    let nz = grid.extents.z + 2
    var values = [UInt8](repeating: 0, count: nx * ny * nz * lanes)
    let (starts, entries) = (prior.starts, prior.entries)
    values.withUnsafeMutableBufferPointer { buffer in
      nonisolated(unsafe) let out = buffer
      Parallel.forEach(nz) { z in
        var sums = [Int32](repeating: 0, count: lanes)
        for y in 0..<ny {
          for x in 0..<nx {
            let target = ((z * ny + y) * nx + x) * lanes
            let isShell =
              x == 0 || y == 0 || z == 0 || x == nx - 1 || y == ny - 1 || z == nz - 1
            for lane in 0..<lanes { sums[lane] = 0 }
            var covered: Int32 = 0
            let x0 = min(max(x - 1, 0), nx - 3) * factor
            let y0 = min(max(y - 1, 0), ny - 3) * factor
            let z0 = min(max(z - 1, 0), nz - 3) * factor
            let columns = min(factor, fine.extents.x - x0)
            for fz in z0..<min(z0 + factor, fine.extents.z) {
              for fy in y0..<min(y0 + factor, fine.extents.y) {
                // The entries of a row's voxels lie one after the other.
                let first = (fz * fine.extents.y + fy) * fine.extents.x + x0
                for entry in Int(starts[first])..<Int(starts[first + columns]) {
                  sums[groupOf[Int(entries[entry] >> 8)]] += Int32(entries[entry] & 255)
                }
                covered += Int32(columns)
              }
            }
            for lane in 0..<groups {
              let own = UInt8(clamping: (2 * sums[lane] + covered) / (2 * covered))
              out[target + lane] = isShell ? UInt8((Int(own) + Int(shell[lane])) / 2) : own
            }
          }
        }
      }
    }
    self.grid = grid
    self.groups = groups
    self.lanes = lanes
    self.values = values
  }

  /// World millimetres to positions as the kernels expect them: voxels of the padded volume.
  package var positionOfWorld: Affine {
    var map = grid.affine.inverse
    map.translation += SIMD3(repeating: 1)
    return map
  }

  /// The probability of a group at a voxel, in 1/255.
  func value(_ x: Int, _ y: Int, _ z: Int, _ group: Int) -> UInt8 {
    let row = (z + 1) * (grid.extents.y + 2) + y + 1
    return values[(row * (grid.extents.x + 2) + x + 1) * lanes + group]
  }

  /// Lends the volume to a kernel.
  func withKernelPrior<Result>(_ body: (segpipe_prior) -> Result) -> Result {
    values.withUnsafeBufferPointer { buffer in
      body(
        segpipe_prior(
          prior: buffer.baseAddress, lanes: Int32(lanes), nx: Int32(grid.extents.x + 2),
          ny: Int32(grid.extents.y + 2), nz: Int32(grid.extents.z + 2)))
    }
  }
}
