import Foundation
import Parallel

/// Times an auto-encoder of label volumes (network R1), and a matrix product to compare with.
package struct Benchmark: Sendable {
  package let labels: Int
  package let extents: Extents
  package let steps: Int
  /// Weights under PyTorch's names, `labels` and `log_prior` at an eighth of the grid, `epsilon`;
  /// or nil for random ones.
  package let file: String?

  package init(labels: Int, extents: Extents, steps: Int, file: String?) {
    self.labels = labels
    self.extents = extents
    self.steps = steps
    self.file = file
  }

  /// What was measured.
  package struct Result: Codable, Sendable, CustomStringConvertible {
    /// Median.
    package let secondsPerStep: Double
    /// Largest resident memory of this process so far, in GiB.
    package let peakGiB: Double
    /// Loss of the first step in nats; nothing for decoding.
    package let firstLoss: Double?
    /// Arithmetic that one step needs.
    package let gigaflopsNeeded: Double
    /// Arithmetic per second over that of a matrix product in this process.
    package let shareOfCeiling: Double
    package let threads: Int

    package var description: String {
      let loss = firstLoss.map { String(format: ", first loss %.1f nats", $0) } ?? ""
      return String(
        format: "%.3f s, %.1f GFLOP at %.0f %% of a matrix product, peak %.2f GiB, %d threads",
        secondsPerStep, gigaflopsNeeded, 100 * shareOfCeiling, peakGiB, threads) + loss
    }
  }

  /// A training step: forward, backward and Adam.
  package func trainingStep() throws -> Result {
    let ceiling = try MatrixProduct.gigaflopsPerSecond()
    let model = try LabelAutoEncoder(.r1(labels: labels, extents: extents), for: .training)
    let start = try inputs(for: model)
    var adam = try Adam(model.parameters.list)
    guard let gradients = model.gradients else {
      throw NetworkError.invalidShape(reason: "no gradients")
    }
    var firstLoss: Double?
    let seconds = try (0...steps).map { _ in
      try time {
        let loss = try model.differentiate(
          start.labels, prior: start.prior, epsilon: start.epsilon)
        firstLoss = firstLoss ?? loss.reconstruction + loss.divergence
        adam.step(model.parameters, gradients: gradients, rate: 1e-4)
        model.update()
      }
    }
    return result(
      seconds, gigaflops: model.shape.gigaflopsPerStep, ceiling: ceiling, firstLoss: firstLoss)
  }

  /// From a latent to the most probable label and the log-normaliser at every voxel.
  package func decoding() throws -> Result {
    let ceiling = try MatrixProduct.gigaflopsPerSecond()
    let model = try LabelAutoEncoder(.r1(labels: labels, extents: extents), for: .inference)
    let start = try inputs(for: model)
    var decoded = [UInt8](repeating: 0, count: extents.count)
    let normaliser = try Tensor(count: extents.count)
    var random = Philox(seed: 1)
    let seconds = try (0...steps).map { _ in
      let z = start.epsilon.map { _ in random.normal() }
      return try time {
        try model.decode(z, prior: start.prior, labels: &decoded, logNormaliser: normaliser)
      }
    }
    return result(
      seconds, gigaflops: model.shape.decoderGigaflops, ceiling: ceiling, firstLoss: nil)
  }

  // MARK: - Measuring

  private func time(_ body: () throws -> Void) rethrows -> Double {
    let clock = ContinuousClock()
    let duration = try clock.measure(body)
    return Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
  }

  private func result(
    _ seconds: [Double], gigaflops: Double, ceiling: Double, firstLoss: Double?
  ) -> Result {
    let sorted = seconds.dropFirst().sorted()
    let median = (sorted[sorted.count / 2] + sorted[(sorted.count - 1) / 2]) / 2
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return Result(
      secondsPerStep: median, peakGiB: Double(usage.ru_maxrss) / 1024 / 1024, firstLoss: firstLoss,
      gigaflopsNeeded: gigaflops, shareOfCeiling: gigaflops / median / ceiling,
      threads: Parallel.threads)
  }

  // MARK: - Inputs

  private struct Inputs {
    let labels: [UInt8]
    let prior: LabelPrior
    let epsilon: [Float]
  }

  /// Labels and prior from the file or at random, given at an eighth of the grid; also sets the
  /// weights.
  private func inputs(for model: LabelAutoEncoder) throws -> Inputs {
    let coarse = Extents(extents.depth / 8, extents.height / 8, extents.width / 8)
    var coarseLabels: [Int]
    var coarsePrior: [Float]
    var epsilon: [Float]
    if let file {
      let dump = try Safetensors(contentsOf: file)
      try dump.load(into: model.parameters)
      coarseLabels = try dump.integers("labels")
      coarsePrior = try dump.floats("log_prior")
      epsilon = try dump.floats("epsilon")
      guard coarseLabels.count == coarse.count, coarsePrior.count == labels * coarse.count,
        epsilon.count == model.shape.latent, coarseLabels.allSatisfy({ (0..<labels).contains($0) })
      else {
        throw NetworkError.damagedFile(
          path: file,
          reason: "labels, log_prior or epsilon do not fit \(labels) labels on \(extents)")
      }
    } else {
      model.parameters.initialize(seed: 0)
      var random = Philox(seed: 0, stream: 1 << 32)
      coarseLabels = (0..<coarse.count).map { _ in Int.random(in: 0..<labels, using: &random) }
      coarsePrior = (0..<labels * coarse.count).map { _ in random.normal() }
      epsilon = (0..<model.shape.latent).map { _ in random.normal() }
      for cell in 0..<coarse.count {
        let logits = (0..<labels).map { coarsePrior[$0 * coarse.count + cell] }
        let normaliser = log(logits.map { exp($0) }.reduce(0, +))
        for label in 0..<labels { coarsePrior[label * coarse.count + cell] -= normaliser }
      }
    }
    model.update()

    let (height, width) = (extents.height, extents.width)
    @Sendable func cell(_ voxel: Int) -> Int {
      let (z, y, x) = (voxel / (height * width), voxel / width % height, voxel % width)
      return (z / 8 * (height / 8) + y / 8) * (width / 8) + x / 8
    }
    let count = extents.count
    let prior = try LabelPrior(voxels: count, labels: labels) {
      [coarsePrior, labels] tile, values in
      for voxel in 0..<LabelPrior.tile {
        let cell = cell(min(tile * LabelPrior.tile + voxel, count - 1))
        for label in 0..<labels {
          values[label * LabelPrior.tile + voxel] = coarsePrior[label * coarse.count + cell]
        }
      }
    }
    return Inputs(
      labels: (0..<count).map { UInt8(coarseLabels[cell($0)]) }, prior: prior, epsilon: epsilon)
  }
}
