import Parallel

/// Intensities of fluid: a structure that has shrunk leaves fluid where the atlas expects it, and must not
/// take that fluid's intensities for its own.
///
/// Where ventricles have grown over most of a caudate nucleus, most voxels that the location prior gives to
/// the nucleus hold fluid. Intensities over all places still tell the two apart. On scans of usual anatomy
/// deep nuclei and white matter have 0 to 6 % of their first posterior mass at fluid's intensities; where
/// ventricles were dilated by 4 mm, the caudate nucleus has 50 to 80 % and the thalamus 20 to 40 %.
///
/// Any tissue may shrink, and a mixture of Gaussians then takes one of them for the fluid. On scans of usual
/// anatomy the means of a tissue's two Gaussians differ by less than the sum of their deviations; where cortex
/// was thinned by a third, one of its Gaussians sat at fluid, 1.5 to 2 sums away.
///
/// Where ventricles hold 100 ml and more, all of the caudate nucleus's place is fluid. The nucleus is then lost
/// until a warp finds it, and starts from what other nuclei look like.
///
/// Tissue may look like fluid, too: `Shrinkage` tells whether to believe all this of a scan.
struct FluidRows {
  /// Where fluid stands out.
  private let distinct: ClosedRange<Int>
  /// The same and beyond, away from tissue.
  private let rows: ClosedRange<Int>
  private let groups: FluidGroups
  /// Rows kept from groups that seem to have shrunk.
  private(set) var kept: [Int: ClosedRange<Int>]
  /// Those of them of which next to nothing is left where they are expected.
  private(set) var lost: Set<Int> = []

  /// Nil where the scan's contrast does not tell fluid from tissue.
  init?(_ histogram: GroupHistogram, groups: FluidGroups) {
    let last = GroupHistogram.intensities.upperBound
    func density(_ members: [Bool]) -> [Double] {
      var counts = [Double](repeating: 0, count: last + 1)
      for row in 1...last {
        for group in members.indices where members[group] {
          counts[row] += histogram[row, group]
        }
      }
      let total = counts.reduce(0, +)
      guard total > 0 else { return counts }
      return counts.indices.map { row in
        let window = max(1, row - Self.radius)...max(1, min(last, row + Self.radius))
        return counts[window].reduce(0, +) / (Double(window.count) * total)
      }
    }
    let (wet, dry) = (density(groups.fluid), density(groups.tissue))
    // The run of rows around where fluid stands out most.
    let excess = (1...last).map { ($0, wet[$0] - dry[$0]) }
    guard let peak = excess.max(by: { $0.1 < $1.1 }), peak.1 > 0 else { return nil }
    var (from, to) = (peak.0, peak.0)
    while from > 1, wet[from - 1] > dry[from - 1] { from -= 1 }
    while to < last, wet[to + 1] > dry[to + 1] { to += 1 }
    guard dry[from...to].reduce(0, +) < Self.mostOverlap else { return nil }
    distinct = from...to
    // Fluid that stands where tissue is expected does not stand out, as in wide ventricles that are darker than
    // fluid around the brain. It lies away from tissue.
    func beyond(_ density: [Double]) -> (below: Double, above: Double) {
      (density[1..<from].reduce(0, +), density[(to + 1)...].reduce(0, +))
    }
    let (ofFluid, ofTissue) = (beyond(wet), beyond(dry))
    if ofTissue.below < ofTissue.above {
      if ofFluid.below > Self.leastFluid * ofTissue.below { from = 1 }
    } else if ofFluid.above > Self.leastFluid * ofTissue.above {
      to = last
    }
    rows = from...to
    self.groups = groups
    kept = [:]
    for group in groups.inner.indices where groups.inner[group] {
      if Self.signs.contains(histogram.share(of: group, in: rows)) { kept[group] = rows }
    }
    lost = Set(
      groups.nuclei.indices.filter { groups.yielding[$0] && isCovered($0, by: wet, histogram) })
    if !nucleiAgree(removed(from: histogram)) { lost = [] }
    for group in lost { kept[group] = rows }
  }

  /// The middle of where fluid stands out.
  private var middle: Double { Double(distinct.lowerBound + distinct.upperBound) / 2 }

  /// Whether next to all of a group looks as fluid does elsewhere, not darker or brighter than that. `wet` is
  /// fluid's density by row.
  private func isCovered(_ group: Int, by wet: [Double], _ histogram: GroupHistogram) -> Bool {
    guard histogram.share(of: group, in: rows) > Self.signs.upperBound,
      let half = histogram.quantile(0.5, of: [group])
    else { return false }
    return [wet[...half], wet[half...]].allSatisfy { $0.reduce(0, +) > Self.leastTail }
  }

  /// Whether the remaining nuclei differ less among themselves than from fluid: else they do not tell what
  /// another one looks like.
  private func nucleiAgree(_ histogram: GroupHistogram) -> Bool {
    guard let rows = histogram.quantiles([0.1, 0.5, 0.9], of: remainingNuclei) else { return false }
    return Double(rows[2] - rows[0]) < abs(Double(rows[1]) - middle)
  }

  /// The nuclei of which something is left.
  private var remainingNuclei: [Int] {
    groups.nuclei.indices.filter { groups.nuclei[$0] && !lost.contains($0) }
  }

  /// Also keeps from each tissue what lies on fluid's side of a gap in its intensities: no tissue has two so
  /// far apart. Returns the groups in which there is such a gap.
  mutating func separate(_ histogram: GroupHistogram, scale: IntensityScale) -> [Int] {
    let left = removed(from: histogram)
    var found: [Int] = []
    let tissues = groups.tissue.indices.filter { groups.tissue[$0] && !lost.contains($0) }
    let gaps = Parallel.map(tissues.count) {
      IntensityModel.gap(in: tissues[$0], of: left, scale: scale)
    }
    for (group, gap) in zip(tissues, gaps) {
      guard let gap else { continue }
      func row(_ intensity: Double) -> Double { Double(scale.row(Float(intensity))) }
      let (low, high) = (row(gap.means.low), row(gap.means.high))
      let (wet, dry) = abs(low - middle) < abs(high - middle) ? (low, high) : (high, low)
      let (at, last) = (Int(row(gap.at)), GroupHistogram.intensities.upperBound)
      let side = wet < dry ? 1...max(1, at) : min(at, last)...last
      // Nearer to fluid than to the rest of the tissue; among bright vessels that is true of the tissue
      // itself, which has the larger part, and away from where fluid stands out.
      guard abs(wet - middle) < abs(wet - dry) else { continue }
      guard distinct.contains(Int(wet)) || left.share(of: group, in: side) < 0.5 else { continue }
      guard holdsFluid(side, of: group, histogram, isBelow: wet < dry) else { continue }
      let before = kept[group]
      let from = min(side.lowerBound, before?.lowerBound ?? last)
      kept[group] = from...max(side.upperBound, before?.upperBound ?? 1)
      if kept[group] != before { found.append(group) }
    }
    return found
  }

  /// Whether a side of a group's intensities is fluid and no tissue that is nearly as dark or bright: some of it is
  /// as far from the rest as fluid that holds no tissue, and of cortex, which ventricles do not cover, enough is left.
  private func holdsFluid(
    _ side: ClosedRange<Int>, of group: Int, _ histogram: GroupHistogram, isBelow: Bool
  ) -> Bool {
    let fluid = groups.fluid.indices.filter { groups.fluid[$0] }
    guard let pure = histogram.quantile(isBelow ? 0.25 : 0.75, of: fluid) else { return false }
    let rows = GroupHistogram.intensities
    let beyond = side.clamped(to: isBelow ? rows.lowerBound...pure : pure...rows.upperBound)
    let share = histogram.share(of: group, in: side)
    return (groups.inner[group] || share < Self.mostGone)
      && histogram.share(of: group, in: beyond) > Self.leastPure * share
  }

  /// Share of cortex that may have gone. Where it was thinned by 2 mm it was 0.4 to 0.6; cortex drawn darker than
  /// fluid, whose border to white matter is as bright as fluid, had 0.75.
  private static let mostGone = 0.67
  /// Share of what seems to be fluid that lies beyond the quarter of fluid furthest from tissue. Where cortex was
  /// thinned it was 0.04 to 0.2, where cortex is nearly as dark or bright as fluid 0.01.
  private static let leastPure = 0.05

  /// Half width of the window over which densities are averaged, in rows.
  private static let radius = 6
  /// Share of tissue at fluid's intensities above which the two are not told apart.
  private static let mostOverlap = 0.3
  /// Share of fluid that lies beyond where it stands out, relative to that of tissue, from which on that is fluid, too.
  /// Ventricles of 180 ml had 0.7, tissues drawn beyond fluid 0.01 to 0.3.
  private static let leastFluid = 0.5
  /// Share of a group at fluid's intensities that tells of shrinking. Where more is gone, what is left is
  /// no evidence of another intensity: nuclei beside fluid are lost to it, others look like it, as a pallidum
  /// does that iron has made as dark.
  private static let signs = 0.1...0.9

  /// The counts without shrunken tissue at fluid's intensities.
  func removed(from histogram: GroupHistogram) -> GroupHistogram {
    var result = histogram
    for (group, rows) in kept {
      for row in rows { result[row, group] = 0 }
    }
    return result
  }

  /// Share of fluid that lies on either side of the middle of what looks like it. Fluid where nuclei are expected
  /// has 4 % and more; hippocampi drawn darker than any fluid had 0.006 %.
  private static let leastTail = 0.01

  /// The same for a first estimate, in which lost nuclei look as the others do together.
  func first(from histogram: GroupHistogram) -> GroupHistogram {
    var result = removed(from: histogram)
    let others = remainingNuclei
    for row in GroupHistogram.intensities {
      let sum = others.reduce(0) { $0 + result[row, $1] }
      for group in lost { result[row, group] = sum }
    }
    return result
  }
}
