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
    // A likelihood that prefers no label leaves the prior.
    let (likelihood, rows) = ([Float](repeating: 1, count: 2), [UInt16](repeating: 1, count: width))
    let groups = [UInt8](repeating: 0, count: count)
    var labels = [UInt8](repeating: 0, count: target.count)
    labels.withUnsafeMutableBufferPointer { buffer in
      nonisolated(unsafe) let out = buffer
      Parallel.forEach(target.extents.z) { z in
        var positions = [Float](repeating: 0, count: 3 * width)
        var sums = [Float](repeating: 0, count: count)
        bounded.withKernelPrior { kernel in
          for y in 0..<height {
            let start = toVoxel(SIMD3(0, Double(y), Double(z)))
            for x in 0..<width {
              let at = start + toVoxel.columns.0 * Double(x)
              for axis in 0..<3 { positions[3 * x + axis] = Float(at[axis]) }
            }
            segpipe_label_posterior(
              kernel, positions, rows, width, likelihood, 1, groups, 0, 0,
              out.baseAddress.map { $0 + (z * height + y) * width }, nil, &sums)
          }
        }
      }
    }
    return labels
  }
}

/// A rectangle of a plane of voxels; the upper ends are beyond it.
struct PlaneBox: Equatable, Sendable {
  var x: Range<Int>
  var y: Range<Int>

  func union(_ other: PlaneBox) -> PlaneBox {
    PlaneBox(
      x: min(x.lowerBound, other.x.lowerBound)..<max(x.upperBound, other.x.upperBound),
      y: min(y.lowerBound, other.y.lowerBound)..<max(y.upperBound, other.y.upperBound))
  }
}

extension LocationPrior {
  /// For each plane along the grid's last axis, the smallest box around the voxels where chosen labels together have
  /// a probability of `least` / 255 or more; nil for planes without.
  func planeBoxes(around isChosen: [Bool], least: Int) -> [PlaneBox?] {
    let (width, height) = (grid.extents.x, grid.extents.y)
    return Parallel.map(grid.extents.z) { z in
      var box: PlaneBox?
      for y in 0..<height {
        for x in 0..<width {
          let voxel = (z * height + y) * width + x
          var sum = 0
          for entry in entries[Int(starts[voxel])..<Int(starts[voxel + 1])]
          where isChosen[Int(entry >> 8)] {
            sum += Int(entry & 255)
          }
          guard sum >= least else { continue }
          let own = PlaneBox(x: x..<x + 1, y: y..<y + 1)
          box = box?.union(own) ?? own
        }
      }
      return box
    }
  }
}
