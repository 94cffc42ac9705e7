import Imaging
import Parallel

extension Displacement {
  /// Moves a map: each voxel takes the label nearest to where the displacement leads from it, and
  /// `ChannelMap.missing` where that is outside the grid. Both maps have `grid.count` voxels.
  func sample(_ source: [UInt8], on grid: Grid, into result: inout [UInt8]) {
    result.withUnsafeMutableBufferPointer { sample(source, on: grid, into: $0) }
  }

  /// As above, into memory that need not be initialised.
  func sample(_ source: [UInt8], on grid: Grid, into result: UnsafeMutableBufferPointer<UInt8>) {
    let extents = grid.extents
    let spacings = SIMD3<Float>(grid.spacing)
    // Which nodes a voxel of a row lies between, the same for every row.
    let columns = (0..<extents.x).map { x -> (first: Int, fraction: Float) in
      let cell = cell(SIMD3(Float(x) * spacings.x, 0, 0))
      return (cell.first, cell.fraction.x)
    }
    let perVoxel = SIMD4(1 / spacings, 0)
    let end = SIMD4<Float>(SIMD4(extents, 1))
    nonisolated(unsafe) let out = result
    source.withUnsafeBufferPointer { source in
      columns.withUnsafeBufferPointer { columns in
        values.withUnsafeBufferPointer { values in
          nonisolated(unsafe) let (source, columns, values) = (source, columns, values)
          Parallel.forEach(extents.z) { z in
            withUnsafeTemporaryAllocation(of: SIMD4<Float>.self, capacity: nodes.x) { row in
              var voxel = z * extents.y * extents.x
              for y in 0..<extents.y {
                let cell = cell(SIMD3(0, Float(y) * spacings.y, Float(z) * spacings.z))
                let start = SIMD4(0.5, Float(y) + 0.5, Float(z) + 0.5, 0)
                for node in 0..<nodes.x {
                  var place = cell
                  place.first += node
                  row[node] = Self.acrossRows(values, place) * perVoxel + start
                }
                for x in 0..<extents.x {
                  let (first, f) = columns[x]
                  var p = row[first] + (row[first + 1] - row[first]) * f
                  p.x += Float(x)
                  if p.x >= 0, p.y >= 0, p.z >= 0, p.x < end.x, p.y < end.y, p.z < end.z {
                    let near = (Int(p.z) * extents.y + Int(p.y)) * extents.x + Int(p.x)
                    out[voxel] = source[near]
                  } else {
                    out[voxel] = ChannelMap.missing
                  }
                  voxel += 1
                }
              }
            }
          }
        }
      }
    }
  }

  /// The value at a cell's first node along x, linear across y and z.
  @inline(__always)
  private static func acrossRows(
    _ v: UnsafeBufferPointer<SIMD4<Float>>, _ c: Cell
  ) -> SIMD4<Float> {
    let i = c.first
    let near = v[i] + (v[i + c.row] - v[i]) * c.fraction.y
    let j = i + c.slice
    let far = v[j] + (v[j + c.row] - v[j]) * c.fraction.y
    return near + (far - near) * c.fraction.z
  }
}
