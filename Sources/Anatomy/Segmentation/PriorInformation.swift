import Foundation

/// What a location prior tells at most of a scan whose intensities tell all tissue groups apart, in nats a block around
/// the structures of interest. Limits of quality checks that were taken from heads follow it in other atlases.
struct PriorInformation {
  /// Mutual information of place and tissue group. 1.04 for the head; of drawn anatomies 0.76 for six organs in a body, 0.35
  /// for two, 0.20 for one.
  let ofPlace: Double
  /// How much of it half a turn about an axis of the grid costs at least, wherever it moves the structures within two
  /// blocks. 1.01 for the head; 0.78 for the organs in a body, 0.02 to 0.14 for a single one.
  let ofHalfTurn: Double

  /// Of a coarse prior; `isTarget` tells its groups of interest.
  init(_ prior: GroupPrior, isTarget: [Bool]) {
    let (e, groups) = (prior.grid.extents, prior.groups)
    // Blocks that hold a group of interest, and the probabilities of all groups there.
    var (places, shares): ([SIMD3<Int>], [[Double]]) = ([], [])
    var (centre, mass) = (SIMD3<Double>.zero, 0.0)
    for z in 0..<e.z {
      for y in 0..<e.y {
        for x in 0..<e.x {
          let values = (0..<groups).map { Double(prior.value(x, y, z, $0)) }
          let (all, targets) = (
            values.reduce(0, +), values.indices.reduce(0) { $0 + (isTarget[$1] ? values[$1] : 0) }
          )
          guard targets >= Self.least else { continue }
          places.append(SIMD3(x, y, z))
          shares.append(values.map { $0 / all })
          centre += SIMD3(Double(x), Double(y), Double(z)) * targets
          mass += targets
        }
      }
    }
    guard mass > 0 else {
      (ofPlace, ofHalfTurn) = (0, 0)
      return
    }
    func entropy(_ shares: [Double]) -> Double {
      shares.reduce(0) { $1 > 0 ? $0 - $1 * log($1) : $0 }
    }
    let count = Double(places.count)
    let mean = (0..<groups).map { group in shares.reduce(0) { $0 + $1[group] } / count }
    ofPlace = entropy(mean) - shares.reduce(0) { $0 + entropy($1) } / count
    let logarithms = Logarithms(prior)
    func score(_ moved: (SIMD3<Int>) -> SIMD3<Int>) -> Double {
      zip(places, shares).reduce(0) { sum, block in
        let row = logarithms.row(moved(block.0))
        return zip(block.1, row).reduce(sum) { $0 + $1.0 * $1.1 }
      } / count
    }
    let twice = SIMD3<Int>((centre / mass * 2).rounded(.toNearestOrAwayFromZero))
    var best = -Double.infinity
    for axis in 0..<3 {
      for number in 0..<125 {
        let shift = SIMD3(number % 5, number / 5 % 5, number / 25) &- SIMD3(2, 2, 2)
        best = max(
          best,
          score { place in
            var turned = twice &- place
            turned[axis] = place[axis]
            return turned &+ shift
          })
      }
    }
    ofHalfTurn = score { $0 } - best
  }

  /// Sum of the probabilities of groups of interest from which on a block is one of them, in 1/255.
  private static let least = 5.0

  /// Logarithms of probabilities, none of which is below a floor; beyond the grid is background.
  private struct Logarithms {
    private let extents: SIMD3<Int>
    private let rows: [[Double]]
    private let outside: [Double]
    private static let floor = 0.01

    init(_ prior: GroupPrior) {
      let (e, groups) = (prior.grid.extents, prior.groups)
      func logarithms(_ values: [Double]) -> [Double] {
        let sum = max(1, values.reduce(0, +))
        return values.map { log(($0 / sum + Self.floor) / (1 + Self.floor * Double(groups))) }
      }
      extents = e
      rows = (0..<prior.grid.count).map { i in
        let (x, y, z) = (i % e.x, i / e.x % e.y, i / (e.x * e.y))
        return logarithms((0..<groups).map { Double(prior.value(x, y, z, $0)) })
      }
      outside = logarithms((0..<groups).map { $0 == 0 ? 1 : 0 })
    }

    func row(_ at: SIMD3<Int>) -> [Double] {
      guard all(at .>= SIMD3<Int>.zero), all(at .< extents) else { return outside }
      return rows[(at.z * extents.y + at.y) * extents.x + at.x]
    }
  }
}
