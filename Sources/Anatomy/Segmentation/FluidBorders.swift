import Foundation
import Imaging
import Networks
import Parallel

/// Tissues at the border of ventricles and sulci. A voxel there holds fluid and tissue, and belongs to what it
/// holds more of; beside the cortex, whose surface label maps draw further in, it is tissue if it holds much of it.
///
/// Such voxels widen the distribution of fluid in any scan, so that its density exceeds that of a narrow
/// tissue up to close to the tissue's mean: on three real scans lateral ventricles came out larger by a
/// quarter, the fourth by half.
struct FluidBorders: Sendable {
  /// For each label, how its border is shared between tissue groups (sum 1); empty unless it is fluid.
  private let shares: [[(group: Int, share: Double)]]
  /// For each tissue group, how far fluid reaches: 0 its purest voxels' intensity, 1 the group's mean.
  private let ends: [Double]

  /// - Parameters:
  ///   - prior: labels border on each other where both have a probability.
  ///   - isFluid: for each label, whether it is fluid.
  ///   - isTissue: for each label, whether it is a structure of interest other than fluid.
  init(_ prior: LocationPrior, isFluid: [Bool], isTissue: [Bool]) {
    let groupOf = prior.table.groupOfLabel
    let (labels, groups) = (prior.table.count, prior.table.groups.count)
    let plane = prior.grid.extents.x * prior.grid.extents.y
    let planes = prior.entries.withUnsafeBufferPointer { entries in
      prior.starts.withUnsafeBufferPointer { starts in
        nonisolated(unsafe) let (entries, starts) = (entries, starts)
        return Parallel.map(prior.grid.extents.z) { z in
          var sums = [Double](repeating: 0, count: labels * groups)
          for voxel in z * plane..<(z + 1) * plane {
            let own = Int(starts[voxel])..<Int(starts[voxel + 1])
            guard own.count > 1 else { continue }
            for fluid in own where isFluid[Int(entries[fluid] >> 8)] {
              for tissue in own where isTissue[Int(entries[tissue] >> 8)] {
                sums[Int(entries[fluid] >> 8) * groups + groupOf[Int(entries[tissue] >> 8)]] +=
                  Double(entries[fluid] & 255) * Double(entries[tissue] & 255)
              }
            }
          }
          return sums
        }
      }
    }
    shares = (0..<labels).map { label in
      let row = (0..<groups).map { group in
        planes.reduce(0.0) { $0 + $1[label * groups + group] }
      }
      let total = row.reduce(0, +)
      return row.indices.filter { row[$0] > 0 }.map { ($0, row[$0] / total) }
    }
    var ends = [Double](repeating: Self.end, count: groups)
    for (label, group) in zip(prior.table.labels, groupOf)
    where label.tissue == .corticalGreyMatter {
      ends[group] = Self.endAtCortex
    }
    self.ends = ends
  }

  /// Labels of fluid that border on tissue, ascending.
  var labels: [Int] { shares.indices.filter { !shares[$0].isEmpty } }

  /// How much of a fluid label's likelihood counts at each row of intensity: the share of its border whose
  /// tissue that intensity is not too close to, on the way from pure fluid. Tissue that looks like fluid takes nothing.
  ///
  /// `found`: voxels of each row that the label has where all of its likelihood counts. Their purest, the
  /// quarter furthest from a tissue, tell what fluid is like there: ventricles and sulci may differ.
  func kept(_ label: Int, found: [Int], in model: IntensityModel) -> [Float] {
    let rows = IntensityScale.rows
    var kept = [Double](repeating: 1, count: rows)
    for (tissue, share) in shares[label] {
      let (mean, variance) = model.moments(of: tissue)
      guard let pure = Self.purest(found, from: mean, on: model.scale) else { continue }
      let contrast = abs(pure - mean) / variance.squareRoot()
      let taken = share * min(max(contrast - Self.leastContrast, 0), 1)
      for row in 1..<rows - 1 {
        let way = (Double(model.scale.intensity(row)) - pure) / (mean - pure)
        if way > ends[tissue] { kept[row] -= taken }
      }
    }
    return kept.map { Float(max($0, 0)) }
  }

  /// The intensity that a quarter of the voxels are further from a tissue's mean than; nil for too few voxels.
  private static func purest(
    _ found: [Int], from mean: Double, on scale: IntensityScale
  ) -> Double? {
    var (low, high) = (1, IntensityScale.rows - 2)
    let wanted = found[low...high].reduce(0, +) / 4
    guard wanted >= fewest else { return nil }
    var (count, intensity) = (0, mean)
    while count <= wanted {
      let (a, b) = (Double(scale.intensity(low)), Double(scale.intensity(high)))
      let row = mean - a > b - mean ? low : high
      count += found[row]
      intensity = row == low ? a : b
      if row == low { low += 1 } else { high -= 1 }
    }
    return intensity
  }

  private static let end = 0.5
  /// Chosen without labels of a scan: of cortex and white matter the cortex is 0.51 in the 15 label maps of the head
  /// atlas (deviation 0.02, 0.54 at most), and by labels with 0.5 here 0.561, 0.567 and 0.563 in three T1 heads; with 0.7,
  /// 0.553, 0.558 and 0.554.
  private static let endAtCortex = 0.7
  /// Voxels below which a quarter of a label's tells nothing.
  private static let fewest = 5
  /// Standard deviations of a tissue by which pure fluid differs from it where it begins to take voxels; one
  /// more, and it takes all of its share.
  private static let leastContrast = 2.0
}

extension FluidBorders {
  /// The likelihood of every row with a column for each tissue group and then one for each label of fluid;
  /// and which column is whose. Beyond 256 columns fluid keeps its group's. `found` are voxels of each row, for
  /// each of `labels`.
  func table(
    of model: IntensityModel, groupOf: [Int], found: [[Int]]
  ) -> (LikelihoodTable, columnOf: [UInt8]) {
    let table = model.table()
    let fluid = Array(labels.prefix(GroupPrior.mostGroups - table.groups))
    let kept = zip(fluid, found).map { self.kept($0, found: $1, in: model) }
    let columns = table.groups + fluid.count
    var columnOf = groupOf.map { UInt8($0) }
    for (i, label) in fluid.enumerated() { columnOf[label] = UInt8(table.groups + i) }
    let result = LikelihoodTable(groups: columns, lanes: Lanes.padded(columns)) { row, column in
      guard column >= table.groups else { return table[row, column] }
      let i = column - table.groups
      return table[row, groupOf[fluid[i]]] * kept[i][row]
    }
    return (result, columnOf)
  }
}
