import CKernels
import Foundation
import Testing

import Networks

extension NetworksTests {
  @Suite struct MathematicsTests {
    /// The error that `CKernels.h` states, on every instruction set.
    @Test(arguments: [0, 1, 2]) func exponential(level: Int) {
      defer { segpipe_limit_kernel_level(2) }
      segpipe_limit_kernel_level(Int32(level))
      let x = stride(from: Float(-87.2), through: 88.2, by: 0.0137).map { $0 }
      var y = [Float](repeating: 0, count: x.count)
      segpipe_exp(x, &y, x.count)
      let worst = zip(x, y).map { abs(Double($1) / exp(Double($0)) - 1) }.max() ?? 1
      #expect(worst < 3e-7)
    }

    @Test func halfPrecision() {
      var values =
        [0, -0, 1, -2.5, 65504, 70000, -1e9, 6.1e-5, 6e-8, 1e-9, 1.0009766, 1.00048828125]
        as [Float]
      values += randomValues(1000, seed: 1).map { 20 * $0 }
      var half = [UInt16](repeating: 0, count: values.count)
      segpipe_to_half(values, &half, values.count)
      var back = values
      segpipe_from_half(half, &back, half.count)
      for (value, result) in zip(values, back) {
        let clamped = min(max(value, -65504), 65504)
        let unit = max(clamped.magnitude.ulp * 8192, 0x1p-24)
        #expect(abs(result - clamped) <= unit / 2)
      }
      // Halves come back as they were.
      var again = half
      segpipe_to_half(back, &again, back.count)
      #expect(again == half)
    }

    /// Known answers of the authors' own test vectors.
    @Test func philox() {
      #expect(
        Philox.block(counter: .zero, key: .zero)
          == SIMD4(0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8))
      #expect(
        Philox.block(
          counter: SIMD4(0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344),
          key: SIMD2(0xa409_3822, 0x299f_31d0))
          == SIMD4(0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1))
    }

    @Test func normalsHaveTheRightMomentsAndResume() throws {
      var random = Philox(seed: 3)
      let values = (0..<100_000).map { _ in Double(random.normal()) }
      func moment(_ k: Int) -> Double { values.map { pow($0, Double(k)) }.reduce(0, +) / 1e5 }
      // Four standard errors of each.
      #expect(abs(moment(1)) < 0.0127)
      #expect(abs(moment(2) - 1) < 0.018)
      #expect(abs(moment(4) - 3) < 0.124)
      let saved = try JSONDecoder().decode(Philox.self, from: JSONEncoder().encode(random))
      var resumed = Philox(seed: 3, position: saved.position)
      #expect(resumed.next() == random.next())
    }

    /// KL against the mean of log q - log p over samples: 200 000 of them leave about 0.3 %.
    @Test func divergenceMatchesMonteCarlo() {
      let latent = GaussianLatent(mean: [0.8, -0.3, 1.5], logVariance: [-1, 0.5, -2])
      var random = Philox(seed: 11)
      var sum = 0.0
      let samples = 200_000
      for _ in 0..<samples {
        let epsilon = (0..<3).map { _ in random.normal() }
        let z = latent.sample(epsilon)
        for i in 0..<3 {
          let (e, v, x) = (Double(epsilon[i]), Double(latent.logVariance[i]), Double(z[i]))
          sum += -0.5 * (e * e + v) + 0.5 * x * x
        }
      }
      #expect(abs(sum / Double(samples) / latent.divergence - 1) < 0.01)
    }

    @Test func latentGradients() {
      let (mean, logVariance, epsilon) = ([0.4, -1.2], [-0.5, 0.3], [0.7, -1.1])
      let (weights, beta) = ([2.0, -3.0], 0.7)
      // L(z) = weights . sin(z), whose gradient is weights . cos(z).
      func objective(_ point: [Double]) -> Double {
        (0..<2).map { i in
          let (m, v) = (point[i], point[2 + i])
          let z = m + exp(0.5 * v) * epsilon[i]
          return weights[i] * sin(z) + beta * 0.5 * (m * m + exp(v) - v - 1)
        }.reduce(0, +)
      }
      let latent = GaussianLatent(
        mean: mean.map(Float.init), logVariance: logVariance.map(Float.init))
      let z = latent.sample(epsilon.map(Float.init))
      let found = latent.backward(
        dz: zip(weights, z).map { Float($0 * cos(Double($1))) }, epsilon: epsilon.map(Float.init),
        beta: Float(beta))
      let expected = finiteDifferences(
        at: mean + logVariance, elements: Array(0..<4), objective)
      #expect(relativeError(found.mean + found.logVariance, expected) < 1e-6)
    }

    @Test func learningRateRisesAndFalls() {
      let schedule = LearningRateSchedule(peak: 1, warmup: 4, total: 14, last: 0.1)
      #expect((0..<4).map(schedule.rate) == [0.25, 0.5, 0.75, 1])
      #expect(schedule.rate(4) == 1)
      #expect(abs(schedule.rate(9) - 0.55) < 1e-12)
      #expect(schedule.rate(14) == 0.1 && schedule.rate(1000) == 0.1)
      #expect(LearningRateSchedule(peak: 2).rate(1_000_000) == 2)
    }

    @Test func memoryPlanNeverOverlapsWhatIsAlive() throws {
      var random = Philox(seed: 9)
      for _ in 0..<50 {
        var plan = MemoryPlan()
        let wanted = (0..<12).map { _ in
          let start = Int.random(in: 0..<10, using: &random)
          return (
            count: Int.random(in: 1...5000, using: &random),
            steps: start...start + Int.random(in: 0..<5, using: &random)
          )
        }
        let handles = wanted.map { plan.reserve($0.count, steps: $0.steps) }
        let memory = try Tensor(count: plan.place())
        let tensors = zip(handles, wanted).map { plan.tensor($0, count: $1.count, in: memory) }
        for i in tensors.indices {
          for j in 0..<i where wanted[i].steps.overlaps(wanted[j].steps) {
            let (a, b) = (tensors[i], tensors[j])
            #expect(a.pointer + a.count <= b.pointer || b.pointer + b.count <= a.pointer)
          }
        }
        #expect(memory.count < wanted.map { $0.count + 1024 }.reduce(0, +))
      }
    }
  }
}
