import Foundation
import Networks
import Parallel

/// Sums of the losses of steps since the last report, of trainings of a latent.
struct LossSums: Codable {
  private var reconstruction = 0.0
  private var divergence = 0.0
  private var norm = 0.0
  private var count = 0

  /// Steps between two reports.
  private static let interval = 10

  /// Adds a step's, on so many voxels; `norm` is that of its gradient.
  mutating func add(_ loss: LabelLoss, voxels: Int, norm: Double) {
    reconstruction += loss.reconstruction / Double(voxels)
    divergence += loss.divergence
    self.norm += norm
    count += 1
  }

  /// A report of their means where one is due after a step, the last of `steps` among them; then they begin anew.
  mutating func reports<Evaluation>(
    after step: Int, of steps: Int, rate: Double
  ) -> [LossReport<Evaluation>] {
    guard step % Self.interval == 0 || step == steps else { return [] }
    let count = Double(count)
    defer { self = LossSums() }
    return [
      .training(
        .init(
          step: step, reconstruction: reconstruction / count, divergence: divergence / count,
          norm: norm / count, rate: rate))
    ]
  }
}

extension TrainingState {
  /// A step of Adam; returns the norm of the gradient. Throws `NetworkError` for one that is not a number.
  mutating func step(_ gradients: ParameterValues, rate: Double) throws -> Double {
    let number = adam.steps + 1
    let norm = adam.step(weights, gradients: gradients, rate: rate)
    guard norm.isFinite else { throw NetworkError.diverged(step: number) }
    threads = Parallel.threads
    return norm
  }

  /// What has been summed since the last report, which goes on after a checkpoint.
  func sums<Sums: Decodable>(_ type: Sums.Type) -> Sums? {
    notes[Self.sumsKey].flatMap { try? JSONDecoder().decode(type, from: Data($0.utf8)) }
  }

  /// Keeps that for checkpoints.
  mutating func keep(_ sums: some Encodable) throws {
    notes[Self.sumsKey] = try sums.sortedJSON()
  }

  private static let sumsKey = "sums"
}
