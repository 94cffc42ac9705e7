/// What a training of a `ContextNetwork` tells on its way.
package struct ContextReport: TrainingReport, Equatable {
  package var step: Int
  /// Mean cross-entropy over the steps since the last report, nats a voxel, and that of the posteriors which the
  /// network looks at. Nil where only whole scans were looked at.
  package var loss: Double?
  package var firstLoss: Double?
  package var rate: Double?
  /// Mean Dice over structures and drawn scans, and that of the posteriors which the network looks at; nil
  /// where whole scans were not looked at.
  package var dice: Double?
  package var firstDice: Double?

  package var score: Double? { dice }
}
