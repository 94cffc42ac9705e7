import Imaging

extension LocationPrior {
  /// Centre of each label in atlas world mm, weighted by its probability; nil for background and
  /// for labels that have no probability anywhere.
  package var centroids: [SIMD3<Double>?] {
    // Voxel indices and probabilities in 1/255 are whole numbers: sums in any order are exact.
    var sums = [SIMD4<Int>](repeating: .zero, count: table.count)
    var voxel = 0
    for z in 0..<grid.extents.z {
      for y in 0..<grid.extents.y {
        for x in 0..<grid.extents.x {
          for entry in entries[Int(starts[voxel])..<Int(starts[voxel + 1])] where entry >> 8 > 0 {
            sums[Int(entry >> 8)] &+= SIMD4(x, y, z, 1) &* SIMD4(repeating: Int(entry & 255))
          }
          voxel += 1
        }
      }
    }
    return sums.map { sum in
      guard sum.w > 0 else { return nil }
      return grid.affine(SIMD3(Double(sum.x), Double(sum.y), Double(sum.z)) / Double(sum.w))
    }
  }
}
