import Foundation
import Imaging
import Testing

@testable import Anatomy

@Suite struct DisplacementTests {
  private let grid = Fixture.grid(80, 70, 60)

  @Test func theInverseLeadsBack() {
    let field = Displacement.random(
      over: grid, spacing: 20, deviation: 2.5, CounterRandom(seed: 1, stream: 0))
    let inverse = field.resampled(over: grid, spacing: 5).inverted()
    let random = CounterRandom(seed: 1, stream: 1)
    var (sum, most): (Float, Float) = (0, 0)
    for sample in 0..<200 {
      let q = SIMD3<Float>(
        SIMD3(
          random.uniform(3 * sample), random.uniform(3 * sample + 1), random.uniform(3 * sample + 2)
        )
          * SIMD3(60, 50, 40) + SIMD3(repeating: 10))
      let u = field.at(q)
      let y = q + SIMD3(u.x, u.y, u.z)
      let w = inverse.at(y)
      let left = y + SIMD3(w.x, w.y, w.z) - q
      sum += (left * left).sum().squareRoot()
      most = max(most, (left * left).sum().squareRoot())
    }
    // Fields are linear between nodes, here 5 mm apart; the inverse of a linear piece is not, and bends
    // where the field does.
    #expect(sum / 200 < 0.1 && most < 0.6, "\(sum / 200) mm on average, at most \(most) mm")
  }

  @Test func resamplingKeepsALinearField() {
    var field = Displacement(over: grid, spacing: 20)
    for z in 0..<field.nodes.z {
      for y in 0..<field.nodes.y {
        for x in 0..<field.nodes.x {
          field.values[(z * field.nodes.y + y) * field.nodes.x + x] = SIMD4(
            0.1 * Float(x), 0.2 * Float(y), -0.1 * Float(z), 0)
        }
      }
    }
    let fine = field.resampled(over: grid, spacing: 7)
    let at = SIMD3<Float>(33, 41, 27)
    let difference = fine.at(at) - field.at(at)
    #expect((difference * difference).sum() < 1e-6)
    let moved = field.displaced([33, 41, 27])
    #expect(abs(moved[0] - 33 - 0.1 * 33 / 20) < 1e-4)
  }
}

@Suite struct WarpFitTests {
  private let grid = Fixture.grid(80, 80, 80)

  /// Samples seen at known displaced places with an error of 1 mm: log-likelihood -|p - seen|^2 / 2. As in a
  /// likelihood, the scores' variance is the curvature.
  @Test func aSmoothDisplacementIsFoundAndNoStepLoses() {
    let truth = Displacement.random(
      over: grid, spacing: 40, deviation: 1, CounterRandom(seed: 3, stream: 0))
    let random = CounterRandom(seed: 3, stream: 1)
    let count = 20_000
    let base = (0..<3 * count).map { Float(random.uniform($0) * 79) }
    let displaced = truth.displaced(base)
    let noise = CounterRandom(seed: 3, stream: 2)
    let seen = displaced.indices.map { displaced[$0] + Float(noise.normals($0).0) }
    func objective(_ positions: [Float], _ gradients: inout [Float]?) -> Double {
      var sum = 0.0
      for i in positions.indices {
        let d = seen[i] - positions[i]
        sum -= 0.5 * Double(d * d)
        gradients?[i] = d
      }
      return sum
    }
    var fit = WarpFit(
      displacement: Displacement(over: grid, spacing: 20), stretch: 0.005, bend: 0.1)
    var none: [Float]? = nil
    var last = objective(base, &none)
    for _ in 0..<25 {
      #expect(
        fit.climb(most: 1, base: base, weight: 1) { objective($0.displaced(base), &$1) } >= 0)
      let next = objective(fit.displacement.displaced(base), &none)
      // A step may trade likelihood for smoothness, a little.
      #expect(next > last - 1)
      last = next
    }
    func error(_ positions: [Float]) -> Float {
      let squares = positions.indices.reduce(Float(0)) {
        let d = positions[$1] - displaced[$1]
        return $0 + d * d
      }
      return (squares / Float(count)).squareRoot()
    }
    // The truth lies in the span of the lattice. 125 nodes share 20 000 samples with an error of 1 mm, which
    // leaves 0.14 mm; curvature lumped at the nodes makes the last of the way slow.
    let (start, left) = (error(base), error(fit.displacement.displaced(base)))
    #expect(start > 1.2 && left < 0.4 * start, "\(start) mm, then \(left) mm")
  }

  @Test func theObjectiveDoesNotMoveWhatIsInPlace() {
    var fit = WarpFit(displacement: Displacement(over: grid, spacing: 20), stretch: 1, bend: 1)
    let gain = fit.climb(most: 3, base: [10, 10, 10, 50, 50, 50], weight: 1) { _, gradients in
      if gradients != nil { gradients = [0, 0, 0, 0, 0, 0] }
      return -1
    }
    #expect(gain == 0)
    #expect(fit.displacement.largest == 0)
  }

  @Test func gradientsPerMillimetreAreThoseOfFiniteDifferences() throws {
    let prior = try Fixture.bodyPrior()
    let view = PriorView(prior: GroupPrior(prior, factor: 2), atlas: prior.grid)
    let table = LikelihoodTable(groups: 4, lanes: 16) { row, group in
      row % 4 == group ? 0.9 : 0.05
    }
    let random = CounterRandom(seed: 5, stream: 0)
    let count = 60
    let positions = (0..<3 * count).map { Float(20 + random.uniform($0) * 80) }
    let rows = (0..<count).map { UInt16(1 + $0 % 4) }
    let still = Displacement(over: prior.grid, spacing: 40)
    func likelihood(_ positions: [Float], _ gradients: inout [Float]?) -> Double {
      view.logLikelihood(
        view.positions(positions, displaced: still), rows: rows, table: table,
        gradients: &gradients)
    }
    var gradients: [Float]? = [Float](repeating: 0, count: 3 * count)
    _ = likelihood(positions, &gradients)
    let scores = try #require(gradients)
    let step: Float = 0.02
    var agreeing = 0
    for i in positions.indices {
      var none: [Float]? = nil
      var (low, high) = (positions, positions)
      low[i] -= step
      high[i] += step
      let slope = (likelihood(high, &none) - likelihood(low, &none)) / Double(2 * step)
      if abs(slope - Double(scores[i])) < 2e-3 + 0.02 * abs(slope) { agreeing += 1 }
    }
    // Single precision over 60 samples leaves about 1e-3; samples near a cell's face see two slopes.
    #expect(agreeing > positions.count * 95 / 100)
  }

  /// A map put 4 mm beside the atlas by its affine is brought back.
  @Test func mapsAreMovedBack() throws {
    let prior = try Fixture.bodyPrior()
    let map = try ChannelMap(
      Fixture.map(prior.grid, Fixture.bodyLabel), table: prior.table, path: "body")
    let shift = Affine(columns: Affine.identity.columns, translation: SIMD3(4, 0, 0))
    let inverse = MapAligner(prior: prior, round: 0).displacement(of: map, shift)
    let centre = SIMD3<Float>(SIMD3<Double>(prior.grid.extents) * prior.grid.spacing / 2)
    let w = inverse.at(centre)
    #expect(w.x > 2.5 && w.x < 5.5)
    #expect(abs(w.y) < 1 && abs(w.z) < 1)
  }
}
