import Imaging

/// The volumes that a prior's training maps speak for: their range, widened at both ends.
package struct VolumeRanges: Sendable {
  /// The range may be left by this share.
  package static let margin = 0.2

  private let training: TrainingVolumes

  /// Nil where `training` has not the labels of `table`: its statistics would be another table's.
  package init?(_ training: TrainingVolumes, table: LabelTable) {
    guard training.labels.count == table.count else { return nil }
    self.training = training
  }

  /// Of a label's volumes over the maps that hold it.
  package func statistics(of label: Int) -> VolumeStatistics { training.labels[label] }

  /// Share of the maps that hold a label.
  package func share(of label: Int) -> Double {
    Double(training.labels[label].count) / Double(max(1, training.maps))
  }

  /// Whether every anatomy should have a label: every map has it.
  package func isExpected(_ label: Int) -> Bool {
    training.maps > 0 && training.labels[label].count == training.maps
  }

  /// Volumes of a label that count as inside, mm3; nil where no map has it.
  package func range(of label: Int) -> ClosedRange<Double>? {
    let known = training.labels[label]
    guard known.count > 0 else { return nil }
    let least = isExpected(label) ? known.least : 0
    return least * (1 - Self.margin)...known.most * (1 + Self.margin)
  }

  /// Whether every label but the background has a volume inside its range, mm3 by label.
  package func holdAll(_ volumes: [Double]) -> Bool {
    (1..<max(1, volumes.count)).allSatisfy { range(of: $0)?.contains(volumes[$0]) ?? true }
  }
}
