/// What a training of an encoder of scans tells on its way, one line of JSON each.
package enum EncoderReport: TrainingReport, Equatable {
  case training(Training)
  case evaluation(Evaluation)

  /// Means over the steps since the last one told.
  package struct Training: Codable, Sendable, Equatable {
    /// Steps taken.
    package var step: Int
    /// -log p(target given z): nats a voxel for labels known, tempered nats for scans.
    package var reconstruction: Double
    /// KL(q, N(0, I)) in nats.
    package var divergence: Double
    /// Norm of the gradient of the loss a voxel.
    package var norm: Double
    package var rate: Double
  }

  /// How well whole scans are read (z at the mean of q).
  package struct Evaluation: Codable, Sendable, Equatable {
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
    /// Mean of the tempered log-likelihood less the divergence, nats a scan.
    package var bound: Double
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

  /// Steps taken when it was told.
  package var step: Int {
    switch self {
    case .training(let entry): entry.step
    case .evaluation(let entry): entry.step
    }
  }

  /// The Dice of whole scans, or, where it is not known, the bound in nats a voxel.
  package var score: Double? {
    if case .evaluation(let entry) = self { return entry.dice ?? entry.exact }
    return nil
  }
}
