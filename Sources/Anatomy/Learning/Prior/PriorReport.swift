/// What a training of the prior auto-encoder tells: losses are cross-entropies of label maps, in nats a voxel.
package typealias PriorReport = LossReport<PriorEvaluation>

/// How well label maps are encoded and decoded (z at the mean of q).
package struct PriorEvaluation: TrainingEvaluation {
  package var step: Int
  /// Whether the maps were held out of training.
  package var heldOut: Bool
  /// Mean Dice over structures and maps, and that of the location prior's most probable labels.
  package var dice: Double
  package var priorDice: Double
  /// The same for each tissue group, by name.
  package var groups: [String: Double]
  package var priorGroups: [String: Double]
  /// The same for each map, by name.
  package var maps: [String: Double]
  package var priorMaps: [String: Double]
  /// Cross-entropy in nats a voxel, and that of the location prior alone.
  package var crossEntropy: Double
  package var priorCrossEntropy: Double
  /// Mean KL(q, N(0, I)) in nats.
  package var divergence: Double
  /// Share of the latent dimensions that carry more than 0.1 nats, averaged over maps.
  package var usedDimensions: Double

  package var score: Double { dice }
}
