import Foundation
import Testing

@testable import Networks

extension NetworksTests {
  /// The encoder of observations through a frozen decoder, and what it is judged by.
  @Suite struct ObservationEncoderTests {
    typealias Fixture = WarpingAutoEncoderTests.Fixture

    /// Something seen at the voxels of the halved grid.
    private func observation(_ fixture: Fixture, _ kind: String) -> Observation {
      let voxels = fixture.model.halfOutput.prior.extents.count
      var random = Philox(seed: 12)
      let codes = (0..<voxels).map { voxel in
        voxel % 13 == 0 ? Observation.unobserved : UInt16.random(in: 0..<5, using: &random)
      }
      func table(_ value: (Float) -> Float) -> ObservationTable {
        ObservationTable(codes: 5, labels: 20) { code, label in
          value(fixture.table[20 * code + label])
        }
      }
      return switch kind {
      case "jensen": .jensen(codes: codes, table: table(exp).logarithms)
      case "square": .square(codes: codes, table: table { 1 + $0 })
      default: .exact(codes: codes, table: table(exp))
      }
    }

    @Test func adoptedWeightsEncodeAsTheModelDoes() throws {
      let fixture = try Fixture()
      let encoder = try ObservationEncoder(through: fixture.model, trains: false)
      encoder.adopt()
      let seen = observation(fixture, "exact")
      let (own, models) = (encoder.encode(seen), fixture.model.encode(seen))
      #expect(own.mean == models.mean && own.logVariance == models.logVariance)
      #expect(own.mean.contains { abs($0) > 1e-3 })
    }

    @Test(arguments: ["labels", "jensen", "exact", "square"])
    func gradientsMatchDifferencesAndTheDecoderStays(kind: String) throws {
      let fixture = try Fixture()
      let encoder = try ObservationEncoder(through: fixture.model, trains: true)
      encoder.adopt()
      let decoder = Array(fixture.model.parameters.all.elements)
      let seen = observation(fixture, "exact")
      let target: ObservationEncoder.Target =
        kind == "labels"
        ? .labels(fixture.labels, part: .all)
        : .observed(observation(fixture, kind), weight: 0.3)
      let epsilon = randomValues(fixture.model.latentCount, seed: 4)
      func loss() throws -> Double {
        let loss = try encoder.differentiate(
          seen, target: target, epsilon: epsilon, beta: 0.7, scale: 1)
        return loss.reconstruction + 0.7 * loss.divergence
      }
      _ = try loss()
      let gradients = try #require(encoder.gradients)
      let gradient = Array(gradients.all.elements)
      // Along the gradient, where rounding matters least: its length is the slope.
      let norm = gradient.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
      #expect(norm > 0)
      let step = 3e-4
      func moved(_ sign: Double) throws -> Double {
        let weights = encoder.parameters.all
        let before = Array(weights.elements)
        for i in 0..<weights.count {
          weights.pointer[i] += Float(sign * step * Double(gradient[i]) / norm)
        }
        encoder.update()
        defer {
          weights.assign(before)
          encoder.update()
        }
        return try loss()
      }
      let slope = (try moved(1) - moved(-1)) / (2 * step)
      #expect(abs(slope - norm) < 1e-3 * norm + 1e-2, "\(slope) for \(norm)")
      #expect(Array(fixture.model.parameters.all.elements) == decoder)
    }

    @Test func theJensenBoundIsNeverAboveTheExactForm() throws {
      for labels in [3, 20] {
        let problem = WarpedPriorTests.Problem(labels: labels)
        var random = Philox(seed: UInt64(labels))
        for _ in 0..<5 {
          let codes = (0..<problem.extents.count).map { _ in
            UInt16.random(in: 0..<16, using: &random)
          }
          // Gaussians of random means and deviations, at 16 intensities.
          let tissues = (0..<labels).map { _ in
            (mean: 16 * random.uniform(), deviation: 0.5 + 4 * random.uniform())
          }
          let table = ObservationTable(codes: 16, labels: labels) { code, label in
            let d = (Float(code) - tissues[label].mean) / tissues[label].deviation
            return exp(-0.5 * d * d) / tissues[label].deviation
          }
          let exact = try problem.loss(.exact(codes: codes, table: table))
          let jensen = try problem.loss(.jensen(codes: codes, table: table.logarithms))
          #expect(exact <= jensen * (1 + 1e-6), "\(-jensen) above \(-exact)")
        }
      }
    }

    @Test func halvedPriorsAreMeans() throws {
      let problem = WarpedPriorTests.Problem(labels: 20)
      let half = problem.layer.halved()
      #expect(half.factor == problem.layer.factor / 2 && half.reach == problem.layer.reach / 2)
      #expect(half.logits == problem.layer.logits && half.shift == problem.layer.shift)
      let extents = half.prior.extents
      let fine = problem.extents
      let zeros = (try Tensor(count: half.shift.count), try Tensor(count: half.logits.count))
      let planes = PlaneCollector()
      half.forEachPlane(shift: zeros.0, logits: zeros.1) { plane, values in
        planes.set(plane, Array(values))
      }
      let padded = half.logits.paddedChannels
      for z in 0..<extents.depth {
        for y in 0..<extents.height {
          for x in 0..<extents.width {
            for label in 0..<20 {
              var mean = 0.0
              for corner in 0..<8 {
                let voxel =
                  ((2 * z + corner >> 2) * fine.height + 2 * y + corner >> 1 & 1) * fine.width
                  + 2 * x + corner & 1
                mean += problem.dense[voxel][label] / 8
              }
              let found = try #require(planes.values[z])[(y * extents.width + x) * padded + label]
              // Bytes, and the floor of 20 labels.
              #expect(abs(Double(found) - mean) < 0.5 / 255 + 0.03)
            }
          }
        }
      }
    }

    /// Planes from several threads.
    private final class PlaneCollector: @unchecked Sendable {
      private let lock = NSLock()
      private(set) var values: [Int: [Float]] = [:]
      func set(_ plane: Int, _ row: [Float]) { lock.withLock { values[plane] = row } }
    }
  }
}
