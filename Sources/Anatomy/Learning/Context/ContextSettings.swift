import Networks

/// How a `ContextNetwork` is trained.
package struct ContextSettings: TrainingSettings {
  /// Steps, a tile of a drawn scan each.
  package var steps = 2400
  /// Tiles that are taken of each drawn scan.
  package var tiles = 16
  package var rate = 1e-3
  package var seed: UInt64 = 1
  package var augmentation = MapAugmentation.Settings()
  package var evaluationInterval = 500
  package var patience: Int?

  package init() {}

  /// Bytes that training takes, about: the maps with their mirror images, a drawn scan and its fit, and the network
  /// with its tile.
  package func trainingBytes(for prior: LocationPrior, maps: Int) -> Int {
    let images = prior.table.hasPartners ? 2 : 1
    return prior.grid.count * (maps * images + Self.bytesOfScan) + Self.bytesOfNetwork
  }

  private static let bytesOfScan = 70
  private static let bytesOfNetwork = 300 << 20

  /// Learning rate by step.
  package var schedule: LearningRateSchedule {
    LearningRateSchedule(
      peak: rate, warmup: min(50, steps / 10), total: steps, last: rate / 3)
  }

  /// Steps before those whose weights are averaged: with a rate that stays high these lie around a place that is better
  /// than each of them. Two trainings apart by chance gave 0.8626 and 0.8618 on three real scans, the mean of their
  /// weights 0.8635.
  package var stepsBeforeAverage: Int { steps / 2 }
}
