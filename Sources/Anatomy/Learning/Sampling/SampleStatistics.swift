import Imaging

/// What random anatomies look like beside the label maps that a prior was trained on.
package struct SampleStatistics: Sendable {
  private let table: LabelTable
  private let grid: Grid
  private let ranges: VolumeRanges?
  private var count = 0
  private var structures: [VolumeStatistics]
  private var inside: [Int]
  private var whole = 0
  private var allInside = 0
  private var draws = 0
  private var insideAtOnce = 0
  private var dice = 0.0
  private var pairs = 0
  private var last: [UInt8] = []

  /// Pairs that are compared at most.
  private static let mostPairs = 100

  package init(_ space: AtlasSpace, training: TrainingVolumes?) {
    table = space.table
    grid = space.grid
    ranges = training.flatMap { VolumeRanges($0, table: space.table) }
    structures = [VolumeStatistics](repeating: VolumeStatistics(), count: space.table.count)
    inside = [Int](repeating: 0, count: space.table.count)
  }

  /// Adds a sample. Samples are independent: each and the one before it are a random pair.
  package mutating func add(_ sample: AnatomySampler.Sample) {
    var isWhole = true
    for label in 1..<max(1, table.count) {
      let volume = sample.volumes[label]
      if volume > 0 { structures[label].add(volume) }
      if volume == 0, ranges?.isExpected(label) ?? true { isWhole = false }
      if ranges?.range(of: label)?.contains(volume) ?? false { inside[label] += 1 }
    }
    count += 1
    draws += sample.draws
    if isWhole { whole += 1 }
    if let ranges, ranges.holdAll(sample.volumes) {
      allInside += 1
      if sample.draws == 1 { insideAtOnce += 1 }
    }
    if !last.isEmpty, pairs < Self.mostPairs,
      let mean = LabelDice(last, sample.labels, table: table).mean
    {
      dice += mean
      pairs += 1
    }
    last = sample.labels
  }

  /// All that was found out.
  package var report: SampleReport {
    let entries = (1..<max(1, table.count)).map { label in
      let known = ranges?.statistics(of: label)
      return SampleReport.Structure(
        index: table.labels[label].index, name: table.labels[label].name,
        present: share(structures[label].count),
        presentInTraining: ranges?.share(of: label), volume: structures[label], training: known,
        inside: ranges?.range(of: label) == nil ? nil : share(inside[label]),
        spreadRatio: known.flatMap {
          $0.deviation > 0 ? structures[label].deviation / $0.deviation : nil
        })
    }
    let ratios = entries.compactMap(\.spreadRatio)
    return SampleReport(
      samples: count, withAllStructures: share(whole),
      withAllVolumesInside: ranges == nil ? nil : share(allInside),
      withAllVolumesInsideAtOnce: ranges == nil ? nil : share(insideAtOnce),
      drawsPerSample: Double(draws) / Double(max(1, count)),
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
  /// The same, of what was drawn first for each sample.
  package let withAllVolumesInsideAtOnce: Double?
  /// How many anatomies were drawn for a sample, on average.
  package let drawsPerSample: Double
  package let leastSpreadRatio: Double?
  package let meanSpreadRatio: Double?
  /// Share of the structures whose spread is at least half that of the training maps.
  package let withHalfSpread: Double?
  package let meanPairwiseDice: Double?
  package let pairs: Int
  package let structures: [Structure]
}
