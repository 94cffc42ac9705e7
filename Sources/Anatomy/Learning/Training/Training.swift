import Files

/// What the settings of every training hold.
package protocol TrainingSettings: Codable, Hashable, Sendable {
  var steps: Int { get set }
  /// Highest learning rate.
  var rate: Double { get set }
  var seed: UInt64 { get set }
  /// How label maps are varied.
  var augmentation: MapAugmentation.Settings { get set }
  /// Steps between two reports on whole inputs.
  var evaluationInterval: Int { get set }
  /// Stops when this many reports in a row bring no gain; nil never does.
  var patience: Int? { get set }
}

/// A training from its files to its files: takes up what a stopped one left, writes checkpoints and the log, and in
/// the end what was trained.
package protocol Training {
  associatedtype Settings: TrainingSettings
  associatedtype Report: TrainingReport
  var settings: Settings { get }
  var folder: TrainingFolder { get }
  /// Steps between two checkpoints.
  var checkpointInterval: Int { get set }
  var hooks: TrainingHooks<Report> { get set }

  /// Trains to the end or until asked to stop. Throws `AnatomyError.otherTraining`, `AnatomyError.otherPrior`,
  /// `NetworkError`, `FileError`.
  func run() throws -> TrainingEnding
}

extension Training {
  /// Trains in this training's folder, whose checkpoints must be its own.
  func run(
    _ trainer: some Trainer<Report>, leastGain: Double
  ) throws -> TrainingEnding {
    try TrainingLoop(
      trainer: trainer, folder: folder, checkpointInterval: checkpointInterval,
      patience: settings.patience, leastGain: leastGain, hooks: hooks
    ).run()
  }
}

/// Label maps to learn from, and those that are only looked at; nil: some of the others are.
package typealias TrainingMaps = (kept: AlignedMaps, heldOut: AlignedMaps?)

/// A training on an atlas and label maps alone.
package protocol MapTraining: Training {
  init(_ settings: Settings, atlas: Atlas, maps: TrainingMaps, folder: TrainingFolder)

  /// Its files below a folder.
  static func files(_ path: String) -> TrainingFolder

  /// Bytes that it takes, about. Throws `NetworkError.invalidShape` for a grid that the network cannot take.
  static func bytes(_ settings: Settings, for prior: LocationPrior, maps: Int) throws -> Int
}

extension AlignedMaps {
  /// The first few, to look at where none are held out.
  var shown: AlignedMaps { AlignedMaps(Array(maps.prefix(Self.shownCount)), in: space) }

  private static let shownCount = 3

  /// SHA-256 of what they hold.
  func digest() -> String {
    var hash = SHA256()
    for map in maps { map.channels.withUnsafeBytes { hash.update($0) } }
    return hash.hexadecimal
  }
}
