/// What a training of an encoder of scans tells: losses are -log p(target given z), nats a voxel for known
/// labels, tempered nats for scans.
package typealias EncoderReport = LossReport<EncoderEvaluation>

/// How well whole scans are read (z at the mean of q).
package struct EncoderEvaluation: TrainingEvaluation {
  package var step: Int
  /// Mean Dice of the decoded labels over structures and scans, where labels are known, and that of
  /// the location prior's most probable labels.
  package var dice: Double?
  package var priorDice: Double?
  /// Mean log-likelihood in nats for a voxel of 8 mm3, in both forms; the exact one is never below the
  /// Jensen bound.
  package var exact: Double
  package var jensen: Double
  /// The exact form of the location prior itself.
  package var priorExact: Double
  /// Mean KL(q, N(0, I)) in nats.
  package var divergence: Double
  /// Mean of the tempered log-likelihood, in the form that is trained, at a z drawn from q, less beta times the
  /// divergence: an estimate of the bound, nats a scan.
  package var bound: Double

  package var score: Double { dice ?? exact }
}
