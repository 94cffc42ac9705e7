import Networks

/// How an encoder of scans is trained.
package struct EncoderSettings: TrainingSettings {
  /// What judges that which the decoder makes of z.
  package enum Source: String, Hashable, Sendable, Codable {
    /// The labels that scans were drawn from; for scans without labels, how well mean intensities repeat
    /// them.
    case simulated
    /// The intensities of scans, by their likelihood.
    case scans
  }

  /// Which form the likelihood of a scan takes (DESIGN).
  package enum Likelihood: String, Hashable, Sendable, Codable, CaseIterable {
    case exact, jensen
  }

  package var source: Source
  package var likelihood = Likelihood.exact
  /// What a voxel of 8 mm3 counts in the likelihood of a scan: neighbours are no independent witnesses.
  package var temperature: Float = ScanAnatomy.temperature
  package var beta = 1.0
  package var steps: Int
  package var rate: Double
  /// Samples of z for each scan and step.
  package var samples = 1
  package var seed: UInt64 = 1
  package var augmentation = MapAugmentation.Settings()
  package var evaluationInterval = 250
  package var patience: Int?

  package init(_ source: Source) {
    self.source = source
    (steps, rate) = source == .simulated ? (1500, 5e-4) : (500, 1e-4)
  }

  /// Learning rate by step.
  package var schedule: LearningRateSchedule {
    LearningRateSchedule(
      peak: rate, warmup: min(100, steps / 10), total: steps, last: rate / 100)
  }
}
