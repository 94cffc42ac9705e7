import Parallel

/// Compares a segmentation with a reference, structure by structure.
package enum LabelComparison {
  /// The largest difference that two files of one grid may have in any number of their affines, in mm.
  package static let tolerance = 1e-3

  /// Whether two grids are one, up to rounding in files.
  package static func agree(_ first: Grid, _ second: Grid) -> Bool {
    first.extents == second.extents
      && zip(first.affine.rows.joined(), second.affine.rows.joined())
        .allSatisfy { abs($0 - $1) <= tolerance }
  }

  /// - Throws: `LabelComparisonError.otherGrid` unless two grids are one.
  package static func check(_ grid: Grid, against reference: Grid) throws {
    guard agree(grid, reference) else {
      throw LabelComparisonError.otherGrid(grid, reference: reference)
    }
  }

  /// The scores of the structures that the reference has enough voxels of, in the set's order.
  ///
  /// - Throws: `LabelComparisonError` for other grids, or when no structure is left;
  ///   `ImagingError.outOfMemory`.
  package static func scores(
    segmentation: Volume<Int32>, reference: Volume<Int32>, set: StructureSet
  ) throws -> [StructureScore] {
    try check(segmentation.grid, against: reference.grid)
    try RawBytes.checkAvailable(2 * 4 * reference.grid.count)
    let found = StructureNumbers(of: segmentation, in: set)
    let truth = StructureNumbers(of: reference, in: set)
    let shared = sharedCounts(found, truth, structures: set.structures.count)
    let scores = try set.structures.indices.compactMap { number -> StructureScore? in
      guard truth.counts[number] >= max(1, set.smallest) else { return nil }
      return StructureScore(
        index: set.structures[number].index, name: set.structures[number].name,
        voxels: found.counts[number], referenceVoxels: truth.counts[number],
        sharedVoxels: shared[number], voxelVolume: reference.grid.voxelVolume,
        surfaceDistance95: try surfaceDistance(of: number, found, truth, reference.grid))
    }
    guard !scores.isEmpty else { throw LabelComparisonError.nothingToScore(smallest: set.smallest) }
    return scores
  }

  private static func sharedCounts(
    _ first: StructureNumbers, _ second: StructureNumbers, structures: Int
  ) -> [Int] {
    var counts = [Int](repeating: 0, count: structures)
    for (a, b) in zip(first.numbers, second.numbers) where a == b && a >= 0 { counts[Int(a)] += 1 }
    return counts
  }

  private static func surfaceDistance(
    of number: Int, _ found: StructureNumbers, _ truth: StructureNumbers, _ grid: Grid
  ) throws -> Double? {
    guard let first = found.boxes[number], let second = truth.boxes[number] else { return nil }
    // Both surfaces lie in the box around both, and so does the nearest point of either.
    let low = pointwiseMin(first.low, second.low)
    let high = pointwiseMax(first.high, second.high)
    let size = high &- low &+ SIMD3(repeating: 1)
    // Members and surfaces of both, and the distances to one; the distances of all surface voxels, in
    // arrays that grow by doubling.
    try RawBytes.checkAvailable(
      8 * size.x * size.y * size.z + 16 * (found.counts[number] + truth.counts[number]))
    return SurfaceDistance.percentile95(
      found.region(of: number, low: low, high: high),
      truth.region(of: number, low: low, high: high), spacing: grid.spacing)
  }
}

/// Why two label maps cannot be compared.
package enum LabelComparisonError: Error, Equatable {
  case otherGrid(Grid, reference: Grid)
  /// No structure has as many voxels in the reference.
  case nothingToScore(smallest: Int)
}

/// A label map as numbers of a set's structures.
struct StructureNumbers {
  /// For each voxel the structure's place in the set, or -1.
  let numbers: [Int32]
  /// Voxels of each structure.
  let counts: [Int]
  /// The smallest box around each structure, both corners included; nil where there is none.
  let boxes: [(low: SIMD3<Int>, high: SIMD3<Int>)?]
  private let extents: SIMD3<Int>

  init(of labels: Volume<Int32>, in set: StructureSet) {
    var places: [Int32: Int32] = [:]
    for (place, structure) in set.structures.enumerated() {
      for value in structure.values { places[value] = Int32(place) }
    }
    extents = labels.grid.extents
    let none = SIMD3(repeating: -1)
    var counts = [Int](repeating: 0, count: set.structures.count)
    var lows = [SIMD3<Int>](repeating: extents, count: counts.count)
    var highs = [SIMD3<Int>](repeating: none, count: counts.count)
    var numbers = [Int32](repeating: -1, count: labels.voxels.count)
    // Neighbours along a row mostly share their value: one look-up a run.
    var (last, lastNumber) = (Int32(0), places[0] ?? -1)
    var place = 0
    for z in 0..<extents.z {
      for y in 0..<extents.y {
        for x in 0..<extents.x {
          let value = labels.voxels[place]
          if value != last { (last, lastNumber) = (value, places[value] ?? -1) }
          if lastNumber >= 0 {
            let number = Int(lastNumber)
            numbers[place] = lastNumber
            counts[number] += 1
            lows[number] = pointwiseMin(lows[number], SIMD3(x, y, z))
            highs[number] = pointwiseMax(highs[number], SIMD3(x, y, z))
          }
          place += 1
        }
      }
    }
    self.numbers = numbers
    self.counts = counts
    boxes = zip(lows, highs).map { low, high in high == none ? nil : (low, high) }
  }

  /// A structure's voxels in a box, both corners included.
  func region(of number: Int, low: SIMD3<Int>, high: SIMD3<Int>) -> Region {
    let size = high &- low &+ SIMD3(repeating: 1)
    var members = [Bool](repeating: false, count: size.x * size.y * size.z)
    var place = 0
    for z in low.z...high.z {
      for y in low.y...high.y {
        let row = (z * extents.y + y) * extents.x
        for x in low.x...high.x {
          members[place] = numbers[row + x] == Int32(number)
          place += 1
        }
      }
    }
    return Region(extents: size, members: members)
  }
}
