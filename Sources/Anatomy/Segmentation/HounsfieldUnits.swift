/// What a CT's intensities tell of themselves: air is -1000, water 0, and there is no zero that factors could leave
/// alone.
package enum HounsfieldUnits {
  /// Soft tissue, from fat to clotted blood and contrast agents.
  package static let softTissue: ClosedRange<Float> = -150...250
  /// The same and lungs.
  static let fromAir: ClosedRange<Float> = -1000...250

  /// What air measures, with noise.
  private static let air: ClosedRange<Float> = -1060 ... -940
  /// Between lungs and everything else.
  private static let darkest: Float = -500
  /// Least share of air, or padding of the lowest intensity, among all voxels.
  private static let leastAir = 0.05
  /// Least share of air, lungs and padding among what is darker than any tissue.
  private static let leastOfDark = 0.9
  /// Least share of soft tissue among what is brighter.
  private static let leastSoft = 0.5
  /// Share of lungs in a body from which on they count.
  private static let leastLungs = 0.1

  /// Whether a scan is one.
  package static func isCT(_ voxels: [Float]) -> Bool {
    guard let lowest = voxels.lazy.filter(\.isFinite).min() else { return false }
    return range(of: voxels, lowest: lowest) != nil
  }

  /// The intensities to tell apart in a scan, others being as good as these, if it is a CT; nil: it is none.
  static func range(of voxels: [Float], lowest: Float) -> ClosedRange<Float>? {
    guard lowest < darkest else { return nil }
    var (empty, lungs, darker, soft, bright) = (0, 0, 0, 0, 0)
    for value in voxels where value.isFinite {
      if value > darkest {
        bright += 1
        if softTissue.contains(value) { soft += 1 }
      } else if air.contains(value) || value == lowest {
        empty += 1
      } else if value > air.upperBound {
        lungs += 1
      } else {
        darker += 1
      }
    }
    guard Double(empty) >= leastAir * Double(voxels.count),
      Double(empty + lungs) >= leastOfDark * Double(empty + lungs + darker),
      Double(soft) >= leastSoft * Double(bright)
    else { return nil }
    return Double(lungs) < leastLungs * Double(lungs + bright) ? softTissue : fromAir
  }
}
