import Foundation
import Parallel

/// Times auto-encoders of label volumes, and a matrix product to compare with.
package struct Benchmark: Sendable {
  /// Runs that are timed, after one that is not.
  package let steps: Int

  package init(steps: Int) { self.steps = steps }

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

  /// Network R1 with a dense prior.
  package struct R1: Sendable {
    package let labels: Int
    package let extents: Extents
    /// Weights under PyTorch's names, `labels` and `log_prior` at an eighth of the grid, `epsilon`;
    /// or nil for random ones.
    package let file: String?

    package init(labels: Int, extents: Extents, file: String?) {
      self.labels = labels
      self.extents = extents
      self.file = file
    }
  }

  /// A training step of R1: forward, backward and Adam.
  package func trainingStep(_ network: R1) throws -> Result {
    let ceiling = try MatrixProduct.gigaflopsPerSecond()
    let model = try LabelAutoEncoder(
      .r1(labels: network.labels, extents: network.extents), for: .training)
    let start = try network.inputs(for: model)
    return try trainingStep(
      FixedPriorAutoEncoder(model, prior: start.prior), labels: start.labels,
      epsilon: start.epsilon, gigaflops: model.shape.gigaflopsPerStep, ceiling: ceiling)
  }

  /// R1 from a latent to the most probable label and the log-normaliser at every voxel.
  package func decoding(_ network: R1) throws -> Result {
    let ceiling = try MatrixProduct.gigaflopsPerSecond()
    let model = try LabelAutoEncoder(
      .r1(labels: network.labels, extents: network.extents), for: .inference)
    let start = try network.inputs(for: model)
    var decoded = [UInt8](repeating: 0, count: network.extents.count)
    let normaliser = try Tensor(count: network.extents.count)
    return try decoding(
      latent: model.shape.latent, gigaflops: model.shape.decoderGigaflops, ceiling: ceiling
    ) { z in
      try model.decode(z, prior: start.prior, labels: &decoded, logNormaliser: normaliser)
    }
  }

  /// A training step of a decoder that warps `prior`, on `labels` `[D, H, W]`.
  package func trainingStep(
    _ shape: WarpingShape, prior: BytePrior, labels: [UInt8]
  ) throws -> Result {
    let ceiling = try MatrixProduct.gigaflopsPerSecond()
    let model = try WarpingAutoEncoder(shape, prior: prior, for: .training)
    model.parameters.initialize(seed: 0)
    model.update()
    var random = Philox(seed: 0, stream: 1 << 32)
    return try trainingStep(
      model, labels: labels, epsilon: (0..<shape.latent).map { _ in random.normal() },
      gigaflops: shape.gigaflopsPerStep, ceiling: ceiling)
  }

  /// The same decoder from a latent to the most probable label and the log-normaliser.
  package func decoding(_ shape: WarpingShape, prior: BytePrior) throws -> Result {
    let ceiling = try MatrixProduct.gigaflopsPerSecond()
    let model = try WarpingAutoEncoder(shape, prior: prior, for: .inference)
    model.parameters.initialize(seed: 0)
    model.update()
    let normaliser = try Tensor(count: shape.extents.count)
    return try decoding(
      latent: shape.latent, gigaflops: shape.decoderGigaflops, ceiling: ceiling
    ) { z in _ = try model.decode(z, logNormaliser: normaliser) }
  }

  // MARK: - Measuring

  private func trainingStep(
    _ model: any LabelModel, labels: [UInt8], epsilon: [Float], gigaflops: Double, ceiling: Double
  ) throws -> Result {
    var adam = try Adam(model.parameters.list)
    guard let gradients = model.gradients else {
      preconditionFailure("no gradients")
    }
    var firstLoss: Double?
    let seconds = try (0...steps).map { _ in
      try time {
        let loss = try model.differentiate(labels, epsilon: epsilon, beta: 1, scale: 1, part: .all)
        firstLoss = firstLoss ?? loss.reconstruction + loss.divergence
        adam.step(model.parameters, gradients: gradients, rate: 1e-4)
        model.update()
      }
    }
    return result(seconds, gigaflops: gigaflops, ceiling: ceiling, firstLoss: firstLoss)
  }

  private func decoding(
    latent: Int, gigaflops: Double, ceiling: Double, _ decode: ([Float]) throws -> Void
  ) throws -> Result {
    var random = Philox(seed: 1)
    let seconds = try (0...steps).map { _ in
      let z = (0..<latent).map { _ in random.normal() }
      return try time { try decode(z) }
    }
    return result(seconds, gigaflops: gigaflops, ceiling: ceiling, firstLoss: nil)
  }

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

}

extension Benchmark.R1 {
  fileprivate struct Inputs {
    let labels: [UInt8]
    let prior: LabelPrior
    let epsilon: [Float]
  }

  /// Labels and prior from the file or at random, given at an eighth of the grid; also sets the
  /// weights.
  fileprivate func inputs(for model: LabelAutoEncoder) throws -> Inputs {
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
