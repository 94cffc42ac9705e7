import CKernels
import Foundation
import Imaging
import Testing

@testable import Anatomy

/// The posterior kernel on a sparse prior, against a plain loop.
@Suite struct LabelPosteriorTests {
  private let grid = Fixture.grid(5, 4, 6)
  private let groupOf: [UInt8] = [0, 1, 2, 1]
  private let outside: [Float] = [0.7, 0, 0.3, 0]

  private func prior() throws -> LocationPrior {
    let random = CounterRandom(seed: 4, stream: 0)
    let table = try Fixture.table(
      Fixture.label(3), Fixture.label(5), Fixture.label(8, group: "group-3"))
    return Fixture.prior(grid, table, outside: outside) { label, voxel in
      let at = grid.index(voxel.x, voxel.y, voxel.z)
      // Shares of 255 that sum to it, some of them zero.
      let first = Int(random.bits(at) % 200)
      let second = Int(random.bits(at + 10_000) % 56)
      return [first, second, 0, 255 - first - second].map { UInt8($0) }[(label + at) % 4]
    }
  }

  private func run(
    _ prior: LocationPrior, _ likelihood: LabelLikelihood,
    _ body: (segpipe_sparse_prior, segpipe_label_likelihood) -> Void
  ) {
    prior.withKernelPrior { prior in likelihood.withKernelLikelihood { body(prior, $0) } }
  }

  /// Interpolated prior of a label; the outside mixture beyond the grid.
  private func probability(_ prior: LocationPrior, _ label: Int, at p: SIMD3<Double>) -> Double {
    let base = p.rounded(.down)
    var sum = 0.0
    for corner in 0..<8 {
      var weight = 1.0
      var at = SIMD3(Int(base.x), Int(base.y), Int(base.z))
      for axis in 0..<3 {
        let far = corner >> axis & 1 == 1
        let fraction = p[axis] - base[axis]
        weight *= far ? fraction : 1 - fraction
        if far { at[axis] += 1 }
      }
      let isInside = (0..<3).allSatisfy { at[$0] >= 0 && at[$0] < grid.extents[$0] }
      let value =
        isInside
        ? prior.probability(of: label, at: grid.index(at.x, at.y, at.z)) : outside[label]
      sum += weight * Double(value)
    }
    return sum
  }

  @Test func posteriorIsPriorTimesLikelihood() throws {
    let prior = try prior()
    let count = 300
    let random = CounterRandom(seed: 4, stream: 2)
    let positions = (0..<3 * count).map {
      Float(random.uniform($0) * Double(grid.extents[$0 % 3] + 4) - 2.5)
    }
    let rows = (0..<count).map { UInt16(random.bits(5000 + $0) % 4) }
    let table = (0..<4 * 16).map { Float(0.01 + random.uniform(9000 + $0)) }
    let (alpha, padding) = (0.002, 0.05)
    var best = [UInt8](repeating: 9, count: count)
    var posteriors = [Float](repeating: 0, count: 4 * count)
    var sums = [Float](repeating: 0, count: 4)
    run(prior, LabelLikelihood(table, lanes: 16, columnOf: groupOf)) {
      segpipe_label_posterior(
        $0, positions, rows, count, $1, Float(alpha), Float(padding), &best,
        &posteriors, &sums)
    }
    var expected = [0.0, 0, 0, 0]
    for j in 0..<count {
      let p = SIMD3(
        Double(positions[3 * j]), Double(positions[3 * j + 1]), Double(positions[3 * j + 2]))
      let products = (0..<4).map { label -> Double in
        let extra = label == 0 && rows[j] == 0 ? padding : alpha
        return (probability(prior, label, at: p) + extra)
          * Double(table[Int(rows[j]) * 16 + Int(groupOf[label])])
      }
      let all = products.reduce(0, +)
      for label in 0..<4 {
        expected[label] += products[label] / all
        #expect(abs(Double(posteriors[4 * j + label]) - products[label] / all) < 1e-5)
      }
      let most = products.max() ?? 0
      #expect(products[Int(best[j])] > most - 1e-6)
    }
    for label in 0..<4 { #expect(abs(Double(sums[label]) - expected[label]) < 1e-3) }
    // Labels and sums are the same without posteriors.
    var alone = [UInt8](repeating: 9, count: count)
    var others = [Float](repeating: 0, count: 4)
    run(prior, LabelLikelihood(table, lanes: 16, columnOf: groupOf)) {
      segpipe_label_posterior(
        $0, positions, rows, count, $1, Float(alpha), Float(padding), &alone, nil,
        &others)
    }
    #expect(alone == best)
    for label in 0..<4 { #expect(abs(others[label] - sums[label]) < 1e-3) }
  }

  /// A voxel deep in one label takes a short cut, unless its intensity speaks against the label.
  @Test func certaintyYieldsToIntensity() throws {
    let table = try Fixture.table(Fixture.label(1), Fixture.label(2))
    let prior = Fixture.prior(Fixture.grid(3, 3, 3), table) { label, _ in label == 1 ? 255 : 0 }
    var likelihood = [Float](repeating: 0, count: 3 * 16)
    likelihood.replaceSubrange(16..<19, with: [0.1, 0.2, 0.3])
    likelihood.replaceSubrange(32..<35, with: [1e-9, 1e-9, 0.5])
    var best: [UInt8] = [9, 9]
    var sums: [Float] = [0, 0, 0]
    run(prior, LabelLikelihood(likelihood, lanes: 16, columnOf: [0, 1, 2])) {
      segpipe_label_posterior(
        $0, [1.2, 1.3, 0.4, 1.2, 1.3, 0.4], [1, 2], 2, $1, 1e-6, 0.05,
        &best, nil, &sums)
    }
    #expect(best == [1, 2])
    #expect(abs(sums[1] - 1) < 0.01 && abs(sums[2] - 1) < 0.01)
  }

  @Test func theLowestLabelWinsATie() throws {
    let table = try Fixture.table(Fixture.label(1), Fixture.label(2))
    let prior = Fixture.prior(Fixture.grid(2, 2, 2), table) { label, _ in [55, 100, 100][label] }
    var best: [UInt8] = [9]
    var sums: [Float] = [0, 0, 0]
    run(prior, LabelLikelihood([Float](repeating: 1, count: 32), lanes: 16, columnOf: [0, 1, 2])) {
      segpipe_label_posterior(
        $0, [0.5, 0.5, 0.5], [1], 1, $1, 0, 0, &best,
        nil, &sums)
    }
    #expect(best == [1])
  }

  /// Labels that are possible and their posteriors, with padding's chance but no other; or priors.
  @Test(arguments: [true, false]) func sparsePosteriorsAreThoseAboveTheLeast(likely: Bool) throws {
    let prior = try prior()
    let (count, least) = (300, Float(0.02))
    let random = CounterRandom(seed: 6, stream: 2)
    let positions = (0..<3 * count).map {
      Float(random.uniform($0) * Double(grid.extents[$0 % 3] + 4) - 2.5)
    }
    let rows = (0..<count).map { UInt16(random.bits(5000 + $0) % 4) }
    let table = (0..<4 * 16).map { Float(0.01 + random.uniform(9000 + $0)) }
    var counts = [UInt8](repeating: 9, count: count)
    var labels = [UInt8](repeating: 9, count: 4 * count)
    var values = [Float](repeating: -1, count: 4 * count)
    var total = 0
    run(prior, LabelLikelihood(table, lanes: 16, columnOf: groupOf)) { prior, likelihood in
      rows.withUnsafeBufferPointer { rows in
        total = segpipe_sparse_posterior(
          prior, positions, likely ? rows.baseAddress : nil, count, likelihood, 0.05, least,
          &counts,
          &labels, &values)
      }
    }
    var entry = 0
    for j in 0..<count {
      let p = SIMD3(
        Double(positions[3 * j]), Double(positions[3 * j + 1]), Double(positions[3 * j + 2]))
      var expected = (0..<4).map { label in
        probability(prior, label, at: p) + (likely && label == 0 && rows[j] == 0 ? 0.05 : 0)
      }
      // What rounding may put on either side is not looked at.
      guard expected.allSatisfy({ abs($0 - Double(least)) > 1e-5 }) else {
        entry += Int(counts[j])
        continue
      }
      let kept = (0..<4).filter { expected[$0] > Double(least) }
      if likely {
        for label in kept {
          expected[label] *= Double(table[Int(rows[j]) * 16 + Int(groupOf[label])])
        }
        let all = kept.reduce(0) { $0 + expected[$1] }
        for label in kept { expected[label] /= all }
      }
      #expect(labels[entry..<entry + Int(counts[j])].map { Int($0) } == kept)
      for label in kept {
        #expect(abs(Double(values[entry]) - expected[label]) < 1e-5)
        entry += 1
      }
    }
    #expect(entry == total && total > count)
  }
}
