import Imaging

/// What random anatomies look like beside the label maps that a prior was trained on.
package struct SampleStatistics: Sendable {
  private let table: LabelTable
  private let grid: Grid
  private let training: TrainingVolumes?
  private var count = 0
  private var structures: [VolumeStatistics]
  private var inside: [Int]
  private var whole = 0
  private var allInside = 0
  private var dice = 0.0
  private var pairs = 0
  private var last: [UInt8] = []

  /// Pairs that are compared at most.
  private static let mostPairs = 100
  /// The training range may be left by this share.
  private static let margin = 0.2

  package init(_ space: AtlasSpace, training: TrainingVolumes?) {
    table = space.table
    grid = space.grid
    // Statistics of another number of labels would be another table's.
    self.training = training?.labels.count == space.table.count ? training : nil
    structures = [VolumeStatistics](repeating: VolumeStatistics(), count: space.table.count)
    inside = [Int](repeating: 0, count: space.table.count)
  }

  /// Adds a sample on the atlas grid, positions in the table; returns the volume of each label, mm3.
  ///
  /// Samples are independent: each and the one before it are a random pair.
  @discardableResult
  package mutating func add(_ labels: [UInt8]) -> [Double] {
    let volumes = LabelVolumes.of(labels, labels: table.count, grid: grid)
    var (isWhole, isInside) = (true, true)
    for label in 1..<max(1, table.count) {
      let volume = volumes[label]
      if volume > 0 { structures[label].add(volume) }
      if volume == 0, isExpected(label) { isWhole = false }
      if let range = range(of: label) {
        if range.contains(volume) { inside[label] += 1 } else { isInside = false }
      }
    }
    count += 1
    if isWhole { whole += 1 }
    if isInside { allInside += 1 }
    if !last.isEmpty, pairs < Self.mostPairs,
      let mean = LabelDice(last, labels, table: table).mean
    {
      dice += mean
      pairs += 1
    }
    last = labels
    return volumes
  }

  /// Whether every anatomy should have a label: every map of the training had it.
  private func isExpected(_ label: Int) -> Bool {
    guard let training else { return true }
    return training.maps > 0 && training.labels[label].count == training.maps
  }

  /// Volumes of a label that count as inside the training range; nil where no map had it.
  private func range(of label: Int) -> ClosedRange<Double>? {
    guard let training, training.labels[label].count > 0 else { return nil }
    let known = training.labels[label]
    let least = known.count == training.maps ? known.least : 0
    return least * (1 - Self.margin)...known.most * (1 + Self.margin)
  }

  /// All that was found out.
  package var report: SampleReport {
    let entries = (1..<max(1, table.count)).map { label in
      let known = training?.labels[label]
      return SampleReport.Structure(
        index: table.labels[label].index, name: table.labels[label].name,
        present: share(structures[label].count),
        presentInTraining: training.flatMap { training in
          known.map { Double($0.count) / Double(max(1, training.maps)) }
        }, volume: structures[label], training: known,
        inside: range(of: label) == nil ? nil : share(inside[label]),
        spreadRatio: known.flatMap {
          $0.deviation > 0 ? structures[label].deviation / $0.deviation : nil
        })
    }
    let ratios = entries.compactMap(\.spreadRatio)
    return SampleReport(
      samples: count, withAllStructures: share(whole),
      withAllVolumesInside: training == nil ? nil : share(allInside),
      leastSpreadRatio: ratios.min(),
      meanSpreadRatio: ratios.isEmpty ? nil : ratios.reduce(0, +) / Double(ratios.count),
      withHalfSpread: ratios.isEmpty
        ? nil : Double(ratios.count { $0 >= 0.5 }) / Double(ratios.count),
      meanPairwiseDice: pairs == 0 ? nil : dice / Double(pairs), pairs: pairs,
      structures: entries)
  }

  private func share(_ number: Int) -> Double { Double(number) / Double(max(1, count)) }
}

/// What is told about random anatomies. Shares are 0...1, volumes in mm3 on the atlas grid; what needs
/// the volumes of the training maps is nil where these are not known.
package struct SampleReport: Codable, Equatable, Sendable {
  package struct Structure: Codable, Equatable, Sendable {
    package let index: Int32
    package let name: String
    /// Share of the samples that have it, and of the training maps.
    package let present: Double
    package let presentInTraining: Double?
    /// Over the samples that have it, and over the training maps.
    package let volume: VolumeStatistics
    package let training: VolumeStatistics?
    /// Share of the samples whose volume lies within the training range widened by 20 %.
    package let inside: Double?
    /// Standard deviation of the volume over that of the training maps.
    package let spreadRatio: Double?
  }

  package let samples: Int
  /// Share of the samples that have every structure that all training maps have.
  package let withAllStructures: Double
  /// Share of the samples whose volumes all lie within the training range widened by 20 %.
  package let withAllVolumesInside: Double?
  package let leastSpreadRatio: Double?
  package let meanSpreadRatio: Double?
  /// Share of the structures whose spread is at least half that of the training maps.
  package let withHalfSpread: Double?
  package let meanPairwiseDice: Double?
  package let pairs: Int
  package let structures: [Structure]
}
