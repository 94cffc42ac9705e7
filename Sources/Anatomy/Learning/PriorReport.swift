/// What a training of the prior auto-encoder tells on its way, one line of JSON each.
package enum PriorReport: Codable, Sendable, Equatable {
  case training(Training)
  case evaluation(Evaluation)

  /// Means over the steps since the last one told.
  package struct Training: Codable, Sendable, Equatable {
    /// Steps taken.
    package var step: Int
    /// Cross-entropy of the label map in nats a voxel.
    package var reconstruction: Double
    /// KL(q, N(0, I)) in nats.
    package var divergence: Double
    /// Norm of the gradient of the loss a voxel.
    package var norm: Double
    package var rate: Double
  }

  /// How well label maps are encoded and decoded (z at the mean of q).
  package struct Evaluation: Codable, Sendable, Equatable {
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
  }

  private enum Key: String, CodingKey { case kind }

  package init(from decoder: any Decoder) throws {
    let kind = try decoder.container(keyedBy: Key.self).decode(String.self, forKey: .kind)
    switch kind {
    case "training": self = .training(try Training(from: decoder))
    case "evaluation": self = .evaluation(try Evaluation(from: decoder))
    default:
      throw DecodingError.dataCorrupted(
        .init(codingPath: [Key.kind], debugDescription: "unknown kind '\(kind)'"))
    }
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    switch self {
    case .training(let entry):
      try container.encode("training", forKey: .kind)
      try entry.encode(to: encoder)
    case .evaluation(let entry):
      try container.encode("evaluation", forKey: .kind)
      try entry.encode(to: encoder)
    }
  }

  /// Whether it is the evaluation after so many steps.
  func isEvaluation(of step: Int) -> Bool {
    if case .evaluation(let entry) = self { return entry.step == step }
    return false
  }

  /// Steps taken when it was told.
  package var step: Int {
    switch self {
    case .training(let entry): entry.step
    case .evaluation(let entry): entry.step
    }
  }
}
