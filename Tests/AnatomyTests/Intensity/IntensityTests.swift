import Foundation
import Imaging
import Testing

@testable import Anatomy

@Suite struct IntensityScaleTests {
  @Test func rowsDivideTheRange() {
    let scale = IntensityScale(low: -10, high: 500)
    #expect(scale.width == 1)
    #expect(scale.row(0) == IntensityScale.zero)
    #expect(scale.row(.nan) == IntensityScale.missing)
    #expect(scale.row(-10) == 1)
    #expect(scale.row(-1000) == 1)
    #expect(scale.row(.infinity) == UInt16(IntensityScale.levels))
    for row in 1...IntensityScale.levels {
      #expect(scale.row(scale.intensity(row) + 1e-4) == UInt16(row))
    }
  }

  @Test func rangeIgnoresOutliersZerosAndGaps() throws {
    var voxels = (0..<20_000).map { Float($0 % 1000) + 1 }
    voxels[17] = 1e30
    voxels[18] = .nan
    voxels += [Float](repeating: 0, count: 50_000)
    let scale = try #require(IntensityScale(voxels))
    #expect(scale.low == 0)
    #expect(scale.high > 1000 && scale.high < 1100)
    #expect(try #require(IntensityScale(voxels.map { $0 - 500 })).low < -400)
    #expect(IntensityScale([Float](repeating: 7, count: 5000)) == nil)
    #expect(IntensityScale([Float](repeating: 0, count: 5000)) == nil)
  }
}

@Suite struct LikelihoodTableTests {
  @Test func floorsAreAlphaTimesTheSum() {
    let table = LikelihoodTable(groups: 3, lanes: 16) { row, group in Float(row + group) / 100 }
    for row in [0, 5, 300] {
      let sum = (0..<3).reduce(Float(0)) { $0 + max(Float(row + $1) / 100, 1e-12) }
      #expect(abs(table.floor[row] - LikelihoodTable.alpha * sum) < 1e-7)
      #expect(table.values[row * 16 + 3..<row * 16 + 16].allSatisfy { $0 == 0 })
    }
    // A missing voxel says nothing.
    let missing = Int(IntensityScale.missing) * 16
    #expect(Array(table.values[missing..<missing + 3]) == [1, 1, 1])
  }

  @Test func frequenciesSumToOne() {
    let rows = IntensityScale.rows
    var histogram = GroupHistogram(lanes: 16)
    for row in 0..<rows - 1 {
      histogram[row, 0] = row < 40 ? 30 : 0
      histogram[row, 1] = row > 500 ? 1000 : 1
    }
    let table = LikelihoodTable(histogram: histogram, groups: 3, smoothing: 8)
    for group in 0..<3 {
      let sum = (0..<rows - 1).reduce(0.0) { $0 + Double(table.values[$1 * 16 + group]) }
      // Every row but the missing one's gets its share of 5 extra voxels; 1/512 of them are not given out.
      #expect(abs(sum - 1) < 0.01, "group \(group)")
    }
    // An empty group says nothing about any intensity.
    #expect(abs(table.values[10 * 16 + 2] - table.values[400 * 16 + 2]) < 1e-9)
  }

  @Test func classesAreSeenWhereTheyAre() {
    let table = LikelihoodTable(classes: 4, lanes: 16)
    #expect(table.values[2 * 16 + 2] == 1)
    #expect(table.values[2 * 16 + 1] == 1e-4)
    #expect(table.values[300 * 16 + 1] == 1)
  }
}

@Suite struct IntensityModelTests {
  private let scale = IntensityScale(low: 0, high: 1000)
  private let lanes = 16

  /// Counts of a sum of Gaussians by intensity row.
  private func counts(_ parts: [(count: Double, mean: Double, deviation: Double)]) -> [Double] {
    (0..<IntensityScale.rows).map { row in
      guard row > 0, row < IntensityScale.rows - 1 else { return 0 }
      let x = Double(scale.intensity(row))
      return parts.reduce(0) { sum, part in
        let d = (x - part.mean) / part.deviation
        return sum + part.count * exp(-0.5 * d * d) / (part.deviation * 2.5066)
          * Double(scale.width)
      }
    }
  }

  private func histogram(_ groups: [[Double]]) -> GroupHistogram {
    var result = GroupHistogram(lanes: lanes)
    for (group, values) in groups.enumerated() {
      for (row, value) in values.enumerated() { result[row, group] = value }
    }
    return result
  }

  @Test func knownMeansAndDeviationsAreFound() {
    var zero = counts([(20_000, 300, 40)])
    zero[0] = 20_000
    let model = IntensityModel(
      histogram: histogram([zero, counts([(8000, 700, 60)])]), components: [1, 1],
      scale: scale)
    let (first, second) = (model.moments(of: 0), model.moments(of: 1))
    #expect(abs(first.mean - 300) < 1 && abs(second.mean - 700) < 1)
    #expect(abs(first.variance.squareRoot() - 40) < 2)
    #expect(abs(second.variance.squareRoot() - 60) < 3)
    #expect(abs(model.zeroShare[0] - 0.5) < 1e-3)
    #expect(model.zeroShare[1] < 2e-4)
  }

  @Test func mixturesFindBothOfTheirTissues() {
    let model = IntensityModel(
      histogram: histogram([counts([(6000, 250, 30), (6000, 650, 30)])]),
      components: [2], scale: scale)
    let means = model.groups[0].map(\.mean).sorted()
    // The anchor, one broad Gaussian over both, spreads them a little.
    #expect(abs(means[0] - 250) < 25 && abs(means[1] - 650) < 25, "\(means)")
    #expect(abs(model.groups[0].reduce(0) { $0 + $1.weight } - 1) < 1e-9)
  }

  @Test func tissuesThatVaryByPlaceKeepTheirMeansAndAreTheWiderByTheMiddleOne() {
    let parts = [(300.0, 30.0), (500, 50), (700, 20)]
    let model = IntensityModel(
      histogram: histogram(parts.map { counts([(20_000, $0.0, $0.1)]) }),
      components: [1, 2, 1], scale: scale)
    let varying = model.varyingByPlace()
    let middle = model.moments(of: 0).variance
    for group in 0..<3 {
      let (own, wide) = (model.moments(of: group), varying.moments(of: group))
      #expect(abs(wide.mean - own.mean) < 1e-9)
      #expect(abs(wide.variance - own.variance - middle) < 1e-6 * middle)
    }
    #expect(abs(middle - 900) < 60)
  }

  @Test func groupsWithoutVoxelsKeepAModel() {
    let model = IntensityModel(
      histogram: histogram([counts([(5000, 300, 40)]), []]), components: [1, 1],
      scale: scale)
    #expect(model.density(group: 1, 500).isFinite && model.density(group: 1, 500) > 0)
  }

  @Test func densitiesIntegrateToOne() {
    let model = IntensityModel(
      histogram: histogram([counts([(5000, 300, 40)])]), components: [1], scale: scale
    )
    let table = model.table()
    let sum = (0..<IntensityScale.rows - 1).reduce(0.0) { $0 + Double(table.values[$1 * lanes]) }
    #expect(abs(sum - 1) < 1e-3)
  }

  /// Expectation maximisation with two overlapping groups whose posteriors follow from the model. The anchor
  /// on each mean is a prior: it may cost likelihood while the means are still on their way, a little.
  @Test func theLikelihoodHardlyEverFalls() {
    let all = counts([(9000, 350, 50), (9000, 520, 70)])
    let shares = [0.5, 0.5]
    func split(_ model: IntensityModel?) -> (histogram: GroupHistogram, logLikelihood: Double) {
      var groups = [[Double]](
        repeating: [Double](repeating: 0, count: IntensityScale.rows), count: 2)
      var sum = 0.0
      for row in 1..<IntensityScale.rows - 1 {
        let x = Double(scale.intensity(row))
        let products = (0..<2).map { group -> Double in
          // A first guess by halves of the range.
          guard let model else { return (x < 420) == (group == 0) ? 0.8 : 0.2 }
          return shares[group] * model.density(group: group, x)
        }
        let total = products.reduce(0, +)
        sum += all[row] * log(total)
        for group in 0..<2 { groups[group][row] = all[row] * products[group] / total }
      }
      return (histogram(groups), sum)
    }
    var model = IntensityModel(
      histogram: split(nil).histogram, components: [1, 1], scale: scale)
    var (counts, last) = split(model)
    let first = last
    for _ in 0..<30 {
      model.update(histogram: counts, rounds: 1)
      let next = split(model)
      #expect(next.logLikelihood > last - 1e-3 * 18_000)
      (counts, last) = next
    }
    #expect(last > first)
    let means = (0..<2).map { model.moments(of: $0).mean }
    #expect(abs(means[0] - 350) < 25 && abs(means[1] - 520) < 25, "\(means)")
  }
}

@Suite struct BiasFieldTests {
  private let grid = Fixture.grid(128, 128, 128)

  private func fitted(
    detail: Double = 10, _ truth: (SIMD3<Float>) -> Float
  ) -> (largest: Float, field: BiasField) {
    let random = CounterRandom(seed: 6, stream: 0)
    let count = 40_000
    let positions = (0..<3 * count).map { Float(random.uniform($0) * 127) }
    let values = (0..<count).map {
      truth(SIMD3(positions[3 * $0], positions[3 * $0 + 1], positions[3 * $0 + 2]))
    }
    let mean = values.reduce(0, +) / Float(count)
    let noise = CounterRandom(seed: 6, stream: 1)
    let residuals = values.indices.map { values[$0] + 0.05 * Float(noise.normals($0).0) }
    var field = BiasField(over: grid)
    field.fit(
      positions: positions, residuals: residuals, weights: [Float](repeating: 400, count: count),
      volume: 8, detail: detail)
    var largest: Float = 0
    for (i, value) in field.logarithms(positions).enumerated() {
      largest = max(largest, abs(value - (values[i] - mean)))
    }
    return (largest, field)
  }

  @Test func aLinearFieldIsFoundToTheNoise() {
    // No bending, so the penalty costs nothing: what is left is noise of 0.05 over 40 000 samples.
    #expect(fitted(detail: 25) { 0.002 * $0.x - 0.001 * $0.z }.largest < 0.015)
  }

  @Test func aSmoothFieldIsFoundNearly() {
    // Amplitude 0.2; nodes 16 mm apart with straight lines between them miss a cosine by up to 0.004, and
    // the penalty flattens its ends.
    let (largest, field) = fitted { 0.2 * cos(Float.pi * $0.y / 128) }
    #expect(largest < 0.03)
    #expect(field.strongest > 1.15 && field.strongest < 1.3)
  }

  @Test func whatBendsOverShortWaysIsFoundOnceAnatomyIsKnownInDetail() {
    func wave(_ at: SIMD3<Float>) -> Float { 0.1 * cos(2 * Float.pi * at.y / 80) }
    #expect(fitted(detail: 25, wave).largest > 0.06)
    #expect(fitted(detail: 6, wave).largest < 0.05)
  }

  @Test func changesAreThoseOfTheLogarithm() {
    let (_, field) = fitted { 0.002 * $0.x }
    let none = BiasField(over: grid)
    #expect(field.largestChange(from: field) == 0)
    #expect(abs(field.largestChange(from: none) - log(field.strongest)) < 1e-5)
  }

  @Test func samplesWithoutWeightSayNothing() {
    var field = BiasField(over: grid)
    field.fit(
      positions: [10, 10, 10, 90, 90, 90], residuals: [1, -1], weights: [0, 0], volume: 8,
      detail: 10)
    #expect(field.strongest == 1)
  }
}
