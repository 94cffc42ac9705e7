/// How far the surfaces of two regions of one grid lie apart.
package enum SurfaceDistance {
  /// The 95th percentile of the distances, in mm, from each region's surface voxels to the nearest of
  /// the other's, both directions pooled (interpolated linearly between ranks, as numpy does); nil where
  /// a region is empty.
  ///
  /// A region's surface is its voxels with a face neighbour outside it; beyond the grid is outside.
  /// Distances run between voxel middles.
  package static func percentile95(
    _ first: Region, _ second: Region, spacing: SIMD3<Double>
  ) -> Double? {
    precondition(first.extents == second.extents, "regions of two grids")
    let (a, b) = (first.surface(), second.surface())
    guard a.contains(true), b.contains(true) else { return nil }
    var distances = distances(from: a, to: b, first.extents, spacing)
    distances += self.distances(from: b, to: a, first.extents, spacing)
    distances.sort()
    return percentile(0.95, ofSorted: distances)
  }

  private static func distances(
    from points: [Bool], to surface: [Bool], _ extents: SIMD3<Int>, _ spacing: SIMD3<Double>
  ) -> [Float] {
    let squared = DistanceTransform.squared(to: surface, extents: extents, spacing: spacing)
    return points.indices.lazy.filter { points[$0] }.map { squared[$0].squareRoot() }
  }

  /// Between the two nearest ranks, linearly.
  static func percentile(_ fraction: Double, ofSorted values: [Float]) -> Double {
    let rank = fraction * Double(values.count - 1)
    let below = Int(rank)
    let above = min(below + 1, values.count - 1)
    let (low, high) = (Double(values[below]), Double(values[above]))
    return low + (high - low) * (rank - Double(below))
  }
}

/// Some voxels of a box.
package struct Region: Sendable {
  /// The box's voxels along each axis.
  package let extents: SIMD3<Int>
  /// Which of them belong to it, the first axis fastest.
  package let members: [Bool]

  package init(extents: SIMD3<Int>, members: [Bool]) {
    precondition(members.count == extents.x * extents.y * extents.z)
    self.extents = extents
    self.members = members
  }

  /// Its voxels with a face neighbour that is not in it.
  func surface() -> [Bool] {
    let (nx, ny, nz) = (extents.x, extents.y, extents.z)
    var surface = members
    members.withUnsafeBufferPointer { members in
      var place = 0
      for z in 0..<nz {
        for y in 0..<ny {
          for x in 0..<nx {
            if members[place], x > 0, y > 0, z > 0, x + 1 < nx, y + 1 < ny, z + 1 < nz,
              members[place - 1], members[place + 1], members[place - nx], members[place + nx],
              members[place - nx * ny], members[place + nx * ny]
            {
              surface[place] = false
            }
            place += 1
          }
        }
      }
    }
    return surface
  }
}
