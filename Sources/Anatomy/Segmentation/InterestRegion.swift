import Imaging

/// The surroundings of the structures of interest, in the atlas: where a segmentation is worth fitting.
struct InterestRegion: Sendable {
  let grid: Grid
  private let inside: [Bool]

  /// Blocks of a coarse prior that hold a group of interest, and the blocks next to them.
  init(_ prior: GroupPrior, isTarget: [Bool]) {
    grid = prior.grid
    let e = grid.extents
    var core = [Bool](repeating: false, count: grid.count)
    for z in 0..<e.z {
      for y in 0..<e.y {
        for x in 0..<e.x {
          var sum = 0
          for group in 0..<prior.groups where isTarget[group] {
            sum += Int(prior.value(x, y, z, group))
          }
          core[grid.index(x, y, z)] = sum >= 5
        }
      }
    }
    var inside = core
    for z in 0..<e.z {
      for y in 0..<e.y {
        for x in 0..<e.x where !core[grid.index(x, y, z)] {
          search: for dz in -1...1 {
            for dy in -1...1 {
              for dx in -1...1 {
                let (nx, ny, nz) = (x + dx, y + dy, z + dz)
                if nx >= 0, ny >= 0, nz >= 0, nx < e.x, ny < e.y, nz < e.z,
                  core[grid.index(nx, ny, nz)]
                {
                  inside[grid.index(x, y, z)] = true
                  break search
                }
              }
            }
          }
        }
      }
    }
    self.inside = inside
  }

  /// mm3, as far as it lies in the atlas's grid.
  var volume: Double { Double(inside.count { $0 }) * grid.voxelVolume }

  /// Whether a position, in voxels of `grid`, lies in the region.
  func contains(_ position: SIMD3<Double>) -> Bool {
    let n = position.rounded(.toNearestOrAwayFromZero)
    let e = grid.extents
    guard n.x >= 0, n.y >= 0, n.z >= 0, n.x < Double(e.x), n.y < Double(e.y), n.z < Double(e.z)
    else { return false }
    return inside[grid.index(Int(n.x), Int(n.y), Int(n.z))]
  }

  /// Tells which voxels of a scan lie in the region, of every `step`-th along each axis; `transform` goes
  /// from scan world mm to atlas world mm.
  func selection(
    of scan: Grid, under transform: Affine, step: Int = 1
  ) -> @Sendable (Int, Int, Int) -> Bool {
    let toRegion = grid.affine.inverse * transform * scan.affine
    return { x, y, z in
      guard x % step == 0, y % step == 0, z % step == 0 else { return false }
      return contains(toRegion(SIMD3(Double(x), Double(y), Double(z))))
    }
  }
}
