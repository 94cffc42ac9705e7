import CKernels
import Foundation
import Imaging
import Testing

@testable import Anatomy

/// The kernels on a dense prior of tissue groups, against plain loops in double precision.
@Suite struct PriorKernelTests {
  /// A random padded prior, random positions (some of them outside) and a random table.
  struct Problem {
    let extents = SIMD3(7, 6, 5)
    let lanes = 32
    let groups = 19
    let prior: [UInt8]
    let positions: [Float]
    let rows: [UInt16]
    let table: [Float]
    let floor: [Float]
    static let alpha: Float = 1e-3

    init(_ count: Int = 400) {
      let random = CounterRandom(seed: 11, stream: 0)
      let (extents, lanes, groups) = (extents, lanes, groups)
      prior = (0..<extents.x * extents.y * extents.z * lanes).map {
        $0 % lanes < groups ? UInt8(truncatingIfNeeded: random.bits($0)) : 0
      }
      let more = CounterRandom(seed: 11, stream: 1)
      positions = (0..<3 * count).map {
        Float(more.uniform($0) * Double(extents[$0 % 3] + 2) - 1.5)
      }
      rows = (0..<count).map { UInt16(more.bits(10_000 + $0) % 8) }
      let table = (0..<8 * lanes).map {
        $0 % lanes < groups ? Float(more.uniform(20_000 + $0)) : 0
      }
      self.table = table
      floor = (0..<8).map { row in
        Self.alpha * table[row * lanes..<row * lanes + groups].reduce(0, +)
      }
    }

    func withPrior<Result>(_ body: (segpipe_prior) -> Result) -> Result {
      prior.withUnsafeBufferPointer {
        body(
          segpipe_prior(
            prior: $0.baseAddress, lanes: Int32(lanes), nx: Int32(extents.x), ny: Int32(extents.y),
            nz: Int32(extents.z)))
      }
    }

    /// Interpolated probability of a group, position clamped into the volume.
    func probability(_ group: Int, at position: SIMD3<Double>) -> Double {
      var cell = SIMD3<Int>.zero
      var fraction = SIMD3<Double>.zero
      for axis in 0..<3 {
        let p = min(max(position[axis], 0), Double(extents[axis]) - 1.001)
        cell[axis] = Int(p)
        fraction[axis] = p - Double(Int(p))
      }
      var sum = 0.0
      for corner in 0..<8 {
        var weight = 1.0
        var at = cell
        for axis in 0..<3 {
          let far = corner >> axis & 1 == 1
          weight *= far ? fraction[axis] : 1 - fraction[axis]
          if far { at[axis] += 1 }
        }
        let voxel = (at.z * extents.y + at.y) * extents.x + at.x
        sum += weight * Double(prior[voxel * lanes + group]) / 255
      }
      return sum
    }

    func position(_ sample: Int) -> SIMD3<Double> {
      SIMD3(
        Double(positions[3 * sample]), Double(positions[3 * sample + 1]),
        Double(positions[3 * sample + 2]))
    }

    /// f at a position.
    func density(_ sample: Int, at position: SIMD3<Double>) -> Double {
      let row = Int(rows[sample])
      return (0..<groups).reduce(Double(floor[row])) {
        $0 + probability($1, at: position) * Double(table[row * lanes + $1])
      }
    }
  }

  @Test func likelihoodIsThatOfThePlainSum() {
    let problem = Problem()
    let count = problem.rows.count
    var likelihoods = [Float](repeating: 0, count: count)
    let sum = problem.withPrior {
      segpipe_prior_likelihood(
        $0, problem.positions, problem.rows, count, problem.table, problem.floor, nil,
        &likelihoods)
    }
    var expected = 0.0
    for j in 0..<count {
      let density = problem.density(j, at: problem.position(j))
      expected += log(density)
      // Sums of 19 products in single precision: a few units in the last of seven digits.
      #expect(abs(Double(likelihoods[j]) / density - 1) < 1e-5, "sample \(j)")
    }
    #expect(abs(sum - expected) < 1e-5 * Double(count))
  }

  @Test func gradientIsThatOfFiniteDifferences() {
    let problem = Problem()
    let count = problem.rows.count
    var gradients = [Float](repeating: 0, count: 3 * count)
    _ = problem.withPrior {
      segpipe_prior_likelihood(
        $0, problem.positions, problem.rows, count, problem.table, problem.floor,
        &gradients, nil)
    }
    let step = 1e-5
    var compared = 0
    for j in 0..<count {
      let p = problem.position(j)
      // Within a cell the sum is linear along each axis; at its faces the derivative jumps, and beyond the
      // volume the position is clamped while the kernel gives the slope inside.
      let isInside = (0..<3).allSatisfy { axis in
        let inCell = p[axis] - p[axis].rounded(.down)
        return p[axis] > 0 && p[axis] < Double(problem.extents[axis]) - 1.01
          && inCell > 1e-3 && inCell < 1 - 1e-3
      }
      guard isInside else { continue }
      compared += 1
      for axis in 0..<3 {
        var (low, high) = (p, p)
        low[axis] -= step
        high[axis] += step
        let slope =
          (log(problem.density(j, at: high)) - log(problem.density(j, at: low))) / (2 * step)
        #expect(abs(Double(gradients[3 * j + axis]) - slope) < 1e-4 * (1 + abs(slope)))
      }
    }
    #expect(compared > 100)
  }

  @Test func histogramIsThatOfPlainPosteriors() {
    let problem = Problem()
    let count = problem.rows.count
    let lanes = problem.lanes
    let live = (0..<lanes).map { Float($0 < problem.groups ? 1 : 0) }
    var histogram = [Float](repeating: 0, count: 8 * lanes)
    let sum = problem.withPrior {
      segpipe_prior_histogram(
        $0, problem.positions, problem.rows, count, problem.table, live, Problem.alpha,
        &histogram)
    }
    var expected = [Double](repeating: 0, count: 8 * lanes)
    var logs = 0.0
    for j in 0..<count {
      let row = Int(problem.rows[j])
      let f = problem.density(j, at: problem.position(j))
      logs += log(f)
      for group in 0..<problem.groups {
        let a = problem.probability(group, at: problem.position(j)) + Double(Problem.alpha)
        expected[row * lanes + group] += a * Double(problem.table[row * lanes + group]) / f
      }
    }
    #expect(abs(sum - logs) < 1e-5 * Double(count))
    for i in expected.indices { #expect(abs(Double(histogram[i]) - expected[i]) < 1e-4, "\(i)") }
    // Each sample's posterior sums to 1.
    #expect(abs(histogram.reduce(0) { $0 + Double($1) } - Double(count)) < 1e-3)
  }

  @Test func positionsThatAreNoNumbersAreHarmless() {
    let problem = Problem(1)
    var gradients = [Float](repeating: 0, count: 3)
    let sum = problem.withPrior {
      segpipe_prior_likelihood(
        $0, [.nan, .infinity, -.infinity], [0], 1, problem.table, problem.floor, &gradients, nil)
    }
    #expect(sum.isFinite)
    #expect(gradients.allSatisfy { $0.isFinite }, "\(gradients)")
  }
}
