import Foundation
import Parallel
import Testing

import Networks

extension NetworksTests {
  /// The whole network against PyTorch: `Fixtures/make_fixtures.py` made the values.
  @Suite struct AutoEncoderTests {
    struct Fixture {
      let file: Safetensors
      let model: LabelAutoEncoder
      let labels: [UInt8]
      let prior: LabelPrior
      let epsilon: [Float]

      init() throws {
        let path = try #require(
          Bundle.module.path(forResource: "autoencoder", ofType: "safetensors"))
        file = try Safetensors(contentsOf: path)
        let extents = Extents(32, 32, 64)
        model = try LabelAutoEncoder(
          AutoEncoderShape(
            labels: 5, extents: extents, latent: 3, encoderChannels: [2, 3, 2, 3, 2],
            decoderChannels: [2, 3, 2, 2, 3, 4]), for: .training)
        try file.load(into: model.parameters)
        model.update()
        let coarseLabels = try file.integers("labels")
        let coarsePrior = try file.floats("log_prior")
        epsilon = try file.floats("epsilon")
        func cell(_ voxel: Int) -> Int {
          let (z, y, x) = (voxel / 2048, voxel / 64 % 32, voxel % 64)
          return (z / 8 * 4 + y / 8) * 8 + x / 8
        }
        labels = (0..<extents.count).map { UInt8(coarseLabels[cell($0)]) }
        prior = try LabelPrior(voxels: extents.count, labels: 5) { tile, values in
          for i in 0..<LabelPrior.tile {
            let (z, y, x) = (tile / 32, tile % 32, i)
            let cell = (z / 8 * 4 + y / 8) * 8 + x / 8
            for label in 0..<5 {
              values[label * LabelPrior.tile + i] = coarsePrior[label * 128 + cell]
            }
          }
        }
      }
    }

    @Test func firstLossAndGradientsMatchPyTorch() throws {
      let fixture = try Fixture()
      let loss = try fixture.model.differentiate(
        fixture.labels, prior: fixture.prior, epsilon: fixture.epsilon)
      let expected = Double(try fixture.file.floats("losses")[0])
      // 65 536 terms in single precision on PyTorch's side.
      #expect(abs(loss.reconstruction + loss.divergence - expected) < 1e-5 * expected)
      let gradients = try #require(fixture.model.gradients)
      for parameter in gradients.list.parameters {
        let expected = try fixture.file.floats("gradient.\(parameter.name)").map(Double.init)
        let error = relativeError(Array(gradients[parameter].elements), expected)
        #expect(error < 1e-3, "\(parameter.name): \(error)")
      }
    }

    @Test func threeStepsOfClippedAdamMatchPyTorch() throws {
      let fixture = try Fixture()
      var settings = Adam.Settings()
      settings.largestNorm = 100
      let gradients = try #require(fixture.model.gradients)
      var adam = try Adam(fixture.model.parameters.list, settings: settings)
      let losses = try fixture.file.floats("losses").map(Double.init)
      for step in 0..<3 {
        let loss = try fixture.model.differentiate(
          fixture.labels, prior: fixture.prior, epsilon: fixture.epsilon)
        #expect(abs(loss.reconstruction + loss.divergence - losses[step]) < 1e-5 * losses[step])
        let norm = adam.step(fixture.model.parameters, gradients: gradients, rate: 0.01)
        if step == 0 {
          let expected = Double(try fixture.file.floats("norm")[0])
          #expect(abs(norm - expected) < 1e-4 * expected)
        }
        fixture.model.update()
      }
      for parameter in gradients.list.parameters {
        let expected = try fixture.file.floats("after.\(parameter.name)")
        let found = Array(fixture.model.parameters[parameter].elements)
        let largest = zip(found, expected).map { abs($0 - $1) }.max() ?? 0
        // A step moves a weight by about the rate; 2 % of one step. Adam divides by the gradient's
        // size, so a gradient near zero carries its rounding error into the step undiminished.
        #expect(largest < 2e-4, "\(parameter.name): \(largest)")
      }
    }

    @Test func sameGradientsBitForBitForAnyNumberOfThreads() throws {
      let before = Parallel.threads
      defer { Parallel.threads = before }
      let runs = try [1, 2, 2, 3].map { threads in
        Parallel.threads = threads
        let fixture = try Fixture()
        _ = try fixture.model.differentiate(
          fixture.labels, prior: fixture.prior, epsilon: fixture.epsilon)
        return try #require(fixture.model.gradients).all.elements.map(\.bitPattern)
      }
      #expect(runs.allSatisfy { $0 == runs[0] })
    }

    @Test func decodingDoesNotDependOnThreadsOrPurpose() throws {
      let before = Parallel.threads
      defer { Parallel.threads = before }
      let fixture = try Fixture()
      var results: [[UInt32]] = []
      for purpose in [LabelAutoEncoder.Purpose.inference, .latentGradient, .training] {
        for threads in [1, 2] {
          Parallel.threads = threads
          let model = try LabelAutoEncoder(fixture.model.shape, for: purpose)
          try fixture.file.load(into: model.parameters)
          model.update()
          var labels = [UInt8](repeating: 0, count: fixture.labels.count)
          let normaliser = try Tensor(count: labels.count)
          try model.decode(
            [0.1, 0.7, -1], prior: fixture.prior, labels: &labels, logNormaliser: normaliser)
          results.append(labels.map(UInt32.init) + normaliser.elements.map(\.bitPattern))
        }
      }
      #expect(results.allSatisfy { $0 == results[0] })
    }

    @Test func sharedMemoryKeepsResults() throws {
      // Twice the same pass on one model: nothing of the first is read by the second.
      let fixture = try Fixture()
      let first = try fixture.model.differentiate(
        fixture.labels, prior: fixture.prior, epsilon: fixture.epsilon)
      let second = try fixture.model.differentiate(
        fixture.labels, prior: fixture.prior, epsilon: fixture.epsilon)
      #expect(first == second)
      let latent = try fixture.model.encode(fixture.labels)
      #expect(latent.divergence == first.divergence)
      #expect(
        try fixture.model.crossEntropy(
          fixture.labels, prior: fixture.prior, at: latent.sample(fixture.epsilon))
          == first.reconstruction)
    }

    @Test func impossibleShapesAreNamed() {
      #expect(
        throws: NetworkError.invalidShape(reason: "extents (=30x32x32) must be multiples of 32")
      ) {
        try AutoEncoderShape.r1(labels: 4, extents: Extents(30, 32, 32))
      }
    }
  }
}
