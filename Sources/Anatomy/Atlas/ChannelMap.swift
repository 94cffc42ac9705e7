import Imaging
import Parallel

/// A label map as positions in a label table: one byte a voxel, and where its field of view ends.
package struct ChannelMap: Sendable {
  /// No label known: beyond the field of view.
  package static let missing: UInt8 = 255
  /// Labels a table may have here.
  package static let mostLabels = 254

  package let grid: Grid
  package let channels: [UInt8]
  /// For each axis, the first and last voxel that the field of view holds; beyond a face at which tissue
  /// is cut off, labels are missing; beyond any other face lies background.
  package let reach: [ClosedRange<Int>]
  /// For each axis, the first and last voxel that holds a label; nil where none does.
  package let labelled: [ClosedRange<Int>]?

  /// - Throws: `AnatomyError.unknownLabels` with every value that the table lacks.
  package init(_ map: Volume<Int32>, table: LabelTable, path: String) throws {
    let grid = map.grid
    var channels = [UInt8](repeating: 0, count: grid.count)
    var unknown: [Int32: Int] = [:]
    var last: (value: Int32, position: UInt8) = (0, UInt8(table.position(of: 0) ?? 0))
    for (voxel, value) in map.voxels.enumerated() {
      if value != last.value {
        guard let position = table.position(of: value) else {
          unknown[value, default: 0] += 1
          continue
        }
        last = (value, UInt8(position))
      }
      channels[voxel] = last.position
    }
    if !unknown.isEmpty {
      throw AnatomyError.unknownLabels(path: path, values: unknown.keys.sorted())
    }
    self.init(grid: grid, channels: channels)
  }

  init(grid: Grid, channels: [UInt8]) {
    self.grid = grid
    self.channels = channels
    let areas = Self.sections(of: channels, grid: grid)
    reach = Self.fieldOfView(areas)
    let ends = areas.compactMap { area in
      area.firstIndex { $0 > 0 }.flatMap { first in
        area.lastIndex { $0 > 0 }.map { first...$0 }
      }
    }
    labelled = ends.count == 3 ? ends : nil
  }

  /// Labelled voxels in each section across each axis.
  private static func sections(of channels: [UInt8], grid: Grid) -> [[Int]] {
    var areas = [
      [Int](repeating: 0, count: grid.extents.x), [Int](repeating: 0, count: grid.extents.y),
      [Int](repeating: 0, count: grid.extents.z),
    ]
    var voxel = 0
    for z in 0..<grid.extents.z {
      for y in 0..<grid.extents.y {
        for x in 0..<grid.extents.x {
          if channels[voxel] != 0 {
            areas[0][x] += 1
            areas[1][y] += 1
            areas[2][z] += 1
          }
          voxel += 1
        }
      }
    }
    return areas
  }

  /// Ends the field of view at each face of the labelled region that is cut rather than rounded: where
  /// the section just inside is large (5 % of the largest) and hardly grows further in.
  private static func fieldOfView(_ areas: [[Int]]) -> [ClosedRange<Int>] {
    areas.map { area in
      guard let first = area.firstIndex(where: { $0 > 0 }),
        let last = area.lastIndex(where: { $0 > 0 }), let largest = area.max(), last - first >= 16
      else { return -1_000_000...1_000_000 }
      func isCut(_ outer: Int, _ inner: Int) -> Bool {
        20 * area[outer] > largest && 5 * area[outer] > 3 * area[inner]
      }
      let low = isCut(first + 1, first + 6) ? first + 1 : -1_000_000
      let high = isCut(last - 1, last - 6) ? last - 1 : 1_000_000
      return low...high
    }
  }

  /// The faces at which tissue is cut off, by axis and end, for reports.
  package var cutFaces: Int {
    reach.reduce(0) { $0 + ($1.lowerBound >= 0 ? 1 : 0) + ($1.upperBound < 1_000_000 ? 1 : 0) }
  }

  /// Centre of each label in world mm and its number of voxels; nil for an absent label.
  package func centroids(labels: Int) -> [(centre: SIMD3<Double>, voxels: Int)?] {
    var sums = [SIMD4<Int>](repeating: .zero, count: labels)
    var voxel = 0
    for z in 0..<grid.extents.z {
      for y in 0..<grid.extents.y {
        for x in 0..<grid.extents.x {
          let channel = Int(channels[voxel])
          if channel != 0, channel < labels { sums[channel] &+= SIMD4(x, y, z, 1) }
          voxel += 1
        }
      }
    }
    return sums.map { sum in
      guard sum.w > 0 else { return nil }
      let mean = SIMD3<Double>(Double(sum.x), Double(sum.y), Double(sum.z)) / Double(sum.w)
      return (grid.affine(mean), sum.w)
    }
  }

  /// The same map seen in a mirror at world x = 0, left and right labels swapped.
  package func mirrored(table: LabelTable) -> ChannelMap {
    var swap = [UInt8](0...255)
    for (label, partner) in table.partnerOfLabel.enumerated() {
      if let partner { swap[label] = UInt8(partner) }
    }
    let mirror = Affine(rows: [[-1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]])
    return ChannelMap(
      grid: Grid(extents: grid.extents, affine: mirror * grid.affine),
      channels: channels.map { swap[Int($0)] }, reach: reach, labelled: labelled)
  }

  private init(
    grid: Grid, channels: [UInt8], reach: [ClosedRange<Int>], labelled: [ClosedRange<Int>]?
  ) {
    self.grid = grid
    self.channels = channels
    self.reach = reach
    self.labelled = labelled
  }

  /// A label in place of `missing`.
  static func fill(_ channels: inout [UInt8], with label: UInt8) {
    for i in channels.indices where channels[i] == missing { channels[i] = label }
  }

  /// The same, as another map.
  static func filled(_ channels: [UInt8], with label: UInt8) -> [UInt8] {
    channels.map { $0 == missing ? label : $0 }
  }

  /// The label with the largest trilinear weight at a position in voxels; the lower one wins a tie.
  @inline(__always)
  static func vote(
    _ channels: UnsafeBufferPointer<UInt8>, _ extents: SIMD3<Int>, _ position: SIMD3<Float>
  ) -> UInt8 {
    let base = position.rounded(.down)
    let cell = SIMD3<Int>(Int(base.x), Int(base.y), Int(base.z))
    let fraction = position - base
    if cell.x >= 0, cell.y >= 0, cell.z >= 0, cell.x + 1 < extents.x, cell.y + 1 < extents.y,
      cell.z + 1 < extents.z
    {
      let row = extents.x
      let slice = extents.x * extents.y
      let at = cell.z * slice + cell.y * row + cell.x
      let corners = SIMD8<UInt8>(
        channels[at], channels[at + 1], channels[at + row], channels[at + row + 1],
        channels[at + slice], channels[at + slice + 1], channels[at + slice + row],
        channels[at + slice + row + 1])
      let first = corners[0]
      if corners == SIMD8(repeating: first) { return first }
      let x1 = fraction.x
      let x0 = 1 - x1
      let y1 = fraction.y
      let y0 = 1 - y1
      let z1 = fraction.z
      let z0 = 1 - z1
      let weights = SIMD8<Float>(
        x0 * y0 * z0, x1 * y0 * z0, x0 * y1 * z0, x1 * y1 * z0, x0 * y0 * z1, x1 * y0 * z1,
        x0 * y1 * z1, x1 * y1 * z1)
      var best: UInt8 = 0
      var highest: Float = -1
      for corner in 0..<8 {
        let label = corners[corner]
        var weight: Float = 0
        for other in 0..<8 where corners[other] == label { weight += weights[other] }
        if weight > highest || (weight == highest && label < best) {
          highest = weight
          best = label
        }
      }
      return best
    }
    let near = SIMD3<Int>(
      Int(position.x.rounded()), Int(position.y.rounded()), Int(position.z.rounded()))
    if near.x < 0 || near.y < 0 || near.z < 0 || near.x >= extents.x || near.y >= extents.y
      || near.z >= extents.z
    {
      return 0
    }
    return channels[(near.z * extents.y + near.y) * extents.x + near.x]
  }

  /// The map on another grid: `position` turns a voxel of that grid into a voxel of this map.
  /// `missing` where the field of view does not reach.
  package func resampled(
    to target: Grid, _ position: @Sendable (SIMD3<Int>) -> SIMD3<Float>
  ) -> [UInt8] {
    var result = [UInt8](repeating: 0, count: target.count)
    let low = SIMD3<Float>(reach.map { Float($0.lowerBound) })
    let high = SIMD3<Float>(reach.map { Float($0.upperBound) })
    let (nx, ny) = (target.extents.x, target.extents.y)
    result.withUnsafeMutableBufferPointer { buffer in
      nonisolated(unsafe) let out = buffer
      channels.withUnsafeBufferPointer { source in
        nonisolated(unsafe) let source = source
        Parallel.forEach(target.extents.z) { z in
          var voxel = z * ny * nx
          for y in 0..<ny {
            for x in 0..<nx {
              let at = position(SIMD3(x, y, z))
              out[voxel] =
                all(at .>= low) && all(at .<= high)
                ? Self.vote(source, grid.extents, at) : Self.missing
              voxel += 1
            }
          }
        }
      }
    }
    return result
  }
}
