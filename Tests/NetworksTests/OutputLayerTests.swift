import CKernels
import Foundation
import Parallel
import Testing

import Networks

extension NetworksTests {
  /// The fused output pass against the same formulas written out, for every instruction set, dense
  /// and sparse priors, and numbers of voxels, channels and labels that fill no tile.
  @Suite struct OutputLayerTests {
    struct Case: Sendable {
      let channels: Int
      let labels: Int
      let extents: Extents
    }

    static let cases = [
      Case(channels: 16, labels: 32, extents: Extents(4, 4, 8)),
      Case(channels: 16, labels: 7, extents: Extents(3, 5, 7)),
      Case(channels: 5, labels: 3, extents: Extents(3, 5, 7)),
      Case(channels: 48, labels: 33, extents: Extents(2, 3, 23)),
    ]

    /// A problem whose prior, rounded to half precision, excludes some labels if sparse.
    struct Problem: @unchecked Sendable {
      let layer: OutputLayer
      let list: ParameterList
      let values: ParameterValues
      let featureBias: [Float]
      let features: [Float]
      let logPrior: [[Double]]
      let prior: LabelPrior
      let target: [UInt8]

      init(_ size: Case, sparse: Bool) throws {
        let shape = ActivationShape(
          channels: size.channels, extents: size.extents)
        var list = ParameterList()
        layer = try OutputLayer("logits", features: shape, labels: size.labels, parameters: &list)
        self.list = list
        values = try ParameterValues(list)
        values.initialize(seed: 1)
        featureBias = randomValues(size.channels, seed: 2)
        features = randomValues(shape.plainCount, seed: 3)
        layer.update(from: values, featureBias: try tensor(featureBias))
        let voxels = size.extents.count
        let raw = randomValues(size.labels * voxels, seed: 4)
        // A label is excluded from a whole tile, so that all 64 voxels agree.
        let chosen: [[Float]] = (0..<voxels).map { voxel in
          (0..<size.labels).map { label in
            let isOut = sparse && (label + voxel / 64) % 3 == 1 && label > 0
            return isOut ? -100 : 3 * raw[label * voxels + voxel]
          }
        }
        prior = try LabelPrior(
          voxels: voxels, labels: size.labels, threshold: sparse ? -50 : -.infinity
        ) { tile, values in
          for label in 0..<size.labels {
            for i in 0..<LabelPrior.tile {
              values[label * LabelPrior.tile + i] =
                chosen[min(tile * LabelPrior.tile + i, voxels - 1)][label]
            }
          }
        }
        logPrior = chosen.map { row in
          row.map { value in
            var (half, back): (UInt16, Float) = (0, 0)
            var value = value
            segpipe_to_half(&value, &half, 1)
            segpipe_from_half(&half, &back, 1)
            return value == -100 && sparse ? -1e30 : Double(back)
          }
        }
        var random = Philox(seed: 5)
        let allowed = logPrior
        target = (0..<voxels).map { voxel in
          let labels = (0..<size.labels).filter { allowed[voxel][$0] > -1e29 }
          return UInt8(labels.randomElement(using: &random) ?? 0)
        }
      }

      /// The loss, written out.
      func reference(
        features: [Double], featureBias: [Double], weight: [Double], bias: [Double]
      ) -> Double {
        let (voxels, channels) = (prior.voxels, featureBias.count)
        return (0..<voxels).map { voxel in
          let h = (0..<channels).map { c in
            Reference.elu(features[c * voxels + voxel] + featureBias[c])
          }
          let logits = bias.indices.map { k in
            bias[k] + logPrior[voxel][k]
              + h.indices.map { weight[k * channels + $0] * h[$0] }.reduce(0, +)
          }
          let most = logits.max() ?? 0
          let normaliser = most + log(logits.map { exp($0 - most) }.reduce(0, +))
          return normaliser - logits[Int(target[voxel])]
        }.reduce(0, +)
      }
    }

    /// Gradients are sums of up to 138 x 33 single-precision terms; 1e-4 of the largest is well
    /// within 1e-3.
    @Test(arguments: cases) func lossAndGradients(size: Case) throws {
      defer { segpipe_limit_kernel_level(2) }
      for (sparse, level) in [(false, 2), (true, 2), (true, 1), (false, 0)] {
        segpipe_limit_kernel_level(Int32(level))
        let problem = try Problem(size, sparse: sparse)
        let shape = problem.layer.features
        let x = problem.features.map(Double.init)
        let b = problem.featureBias.map(Double.init)
        let weight = problem.values[problem.list.parameters[0]].elements.map(Double.init)
        let bias = problem.values[problem.list.parameters[1]].elements.map(Double.init)
        let gradients = try ParameterValues(problem.list)
        let featureBiasGradient = try Tensor(count: shape.channels)
        let packed = try activation(problem.features, shape)

        let expected = problem.reference(features: x, featureBias: b, weight: weight, bias: bias)
        let alone = problem.layer.forward(packed, prior: problem.prior, target: problem.target)
        #expect(abs(alone - expected) < 1e-5 * abs(expected))
        let value = try problem.layer.forwardBackward(
          packed, prior: problem.prior, target: problem.target, scale: 0.5, gradients: gradients,
          featureBiasGradient: featureBiasGradient)
        #expect(abs(value - 0.5 * expected) < 1e-5 * abs(expected))

        func check(
          _ found: [Float], at point: [Double], _ function: ([Double]) -> Double
        ) {
          let elements = spread(8, over: point.count)
          let expected = finiteDifferences(at: point, elements: elements) { 0.5 * function($0) }
          #expect(relativeError(elements.map { found[$0] }, expected) < 1e-4)
        }
        check(try plain(packed, shape), at: x) {
          problem.reference(features: $0, featureBias: b, weight: weight, bias: bias)
        }
        check(Array(featureBiasGradient.elements), at: b) {
          problem.reference(features: x, featureBias: $0, weight: weight, bias: bias)
        }
        check(Array(gradients[problem.list.parameters[0]].elements), at: weight) {
          problem.reference(features: x, featureBias: b, weight: $0, bias: bias)
        }
        check(Array(gradients[problem.list.parameters[1]].elements), at: bias) {
          problem.reference(features: x, featureBias: b, weight: weight, bias: $0)
        }
      }
    }

    @Test(arguments: cases) func decode(size: Case) throws {
      let problem = try Problem(size, sparse: true)
      let shape = problem.layer.features
      var labels = [UInt8](repeating: 0, count: shape.extents.count)
      let normaliser = try Tensor(count: labels.count)
      problem.layer.decode(
        try activation(problem.features, shape), prior: problem.prior, labels: &labels,
        logNormaliser: normaliser)
      let weight = problem.values[problem.list.parameters[0]].elements.map(Double.init)
      let bias = problem.values[problem.list.parameters[1]].elements.map(Double.init)
      for voxel in labels.indices {
        let logits = bias.indices.map { k in
          bias[k] + problem.logPrior[voxel][k]
            + (0..<shape.channels).map { c in
              weight[k * shape.channels + c]
                * Reference.elu(
                  Double(problem.features[c * labels.count + voxel] + problem.featureBias[c]))
            }.reduce(0, +)
        }
        let most = logits.max() ?? 0
        #expect(abs(logits[Int(labels[voxel])] - most) < 1e-4)
        let expected = most + log(logits.map { exp($0 - most) }.reduce(0, +))
        #expect(abs(Double(normaliser.pointer[voxel]) - expected) < 1e-5 * (1 + abs(expected)))
      }
    }

    /// Planes of most cases begin and end within tiles.
    @Test(arguments: cases) func probabilities(size: Case) throws {
      defer { segpipe_limit_kernel_level(2) }
      let problem = try Problem(size, sparse: true)
      let shape = problem.layer.features
      let features = try activation(problem.features, shape)
      let weight = problem.values[problem.list.parameters[0]].elements.map(Double.init)
      let bias = problem.values[problem.list.parameters[1]].elements.map(Double.init)
      let slice = size.extents.height * size.extents.width
      let row = (size.labels + 15) / 16 * 16
      for level in [2, 1, 0] {
        segpipe_limit_kernel_level(Int32(level))
        problem.layer.forEachPlane(features, prior: problem.prior) { z, values in
          #expect(values.count == slice * row)
          for place in 0..<slice {
            let voxel = z * slice + place
            let logits = bias.indices.map { k in
              bias[k] + problem.logPrior[voxel][k]
                + (0..<shape.channels).map { c in
                  weight[k * shape.channels + c]
                    * Reference.elu(
                      Double(
                        problem.features[c * size.extents.count + voxel] + problem.featureBias[c]))
                }.reduce(0, +)
            }
            let most = logits.max() ?? 0
            let sum = logits.map { exp($0 - most) }.reduce(0, +)
            for label in 0..<row {
              let expected = label < logits.count ? exp(logits[label] - most) / sum : 0
              #expect(abs(Double(values[place * row + label]) - expected) < 1e-5)
            }
          }
        }
      }
    }

    @Test func targetWithoutEntryCostsAFixedAmountAndHasNoGradient() throws {
      let size = Self.cases[0]
      let problem = try Problem(size, sparse: true)
      let shape = problem.layer.features
      let out = (0..<size.labels).first { label in label > 0 && label % 3 == 1 } ?? 1
      let target = [UInt8](repeating: UInt8(out), count: 64) + problem.target.dropFirst(64)
      let x = try activation(problem.features, shape)
      let lowered = problem.layer.forward(x, prior: problem.prior, target: target, missing: 10)
      let raised = try problem.layer.forwardBackward(
        x, prior: problem.prior, target: target, missing: 11,
        gradients: try ParameterValues(problem.list),
        featureBiasGradient: try Tensor(count: shape.channels))
      #expect(abs(raised - lowered - 64) < 1e-2)
      #expect(x.elements.prefix(64 * 16).allSatisfy { $0 == 0 })
      #expect(x.elements.dropFirst(64 * 16).contains { $0 != 0 })
    }
  }
}
