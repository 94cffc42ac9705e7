/// How good whole inputs are after some steps.
package protocol TrainingEvaluation: Codable, Sendable, Equatable {
  /// Steps taken.
  var step: Int { get }
  /// More is better.
  var score: Double { get }
}

/// What a training of a variational encoder tells on its way: its loss, or how good whole inputs are.
package enum LossReport<Evaluation: TrainingEvaluation>: TrainingReport, Equatable {
  case training(Training)
  case evaluation(Evaluation)

  /// Means over the steps since the last one told.
  package struct Training: Codable, Sendable, Equatable {
    /// Steps taken.
    package var step: Int
    /// What the decoding is judged by, a voxel.
    package var reconstruction: Double
    /// KL(q, N(0, I)) in nats.
    package var divergence: Double
    /// Norm of the gradient of the loss a voxel.
    package var norm: Double
    package var rate: Double
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

  package var score: Double? {
    if case .evaluation(let entry) = self { return entry.score }
    return nil
  }
}
