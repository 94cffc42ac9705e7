import Networks

/// A training of a `ContextNetwork` from its files to its files.
package struct ContextTraining: MapTraining {
  package let settings: ContextSettings
  package let atlas: Atlas
  /// Scans are drawn from them.
  package let maps: TrainingMaps
  package let folder: TrainingFolder
  package var checkpointInterval = 250
  package var hooks = TrainingHooks<ContextReport>()

  package init(
    _ settings: ContextSettings, atlas: Atlas, maps: TrainingMaps, folder: TrainingFolder
  ) {
    self.settings = settings
    self.atlas = atlas
    self.maps = maps
    self.folder = folder
  }

  package static func files(_ path: String) -> TrainingFolder { .context(path) }

  package static func bytes(
    _ settings: ContextSettings, for prior: LocationPrior, maps: Int
  ) -> Int {
    settings.trainingBytes(for: prior, maps: maps)
  }

  /// A gain in Dice.
  private static let leastGain = 0.001

  package func run() throws -> TrainingEnding {
    var identity = try TrainingIdentity.values(settings, atlas: atlas, maps: maps.kept)
    identity["fits"] = "version \(Segmenter.fitVersion)"
    try TrainingIdentity(identity).check(folder.checkpoints)
    let trainer = try ContextTrainer(
      settings, prior: atlas.prior, maps: maps.kept, shown: maps.heldOut ?? maps.kept.shown,
      notes: identity)
    let ending = try run(trainer, leastGain: Self.leastGain)
    guard case .finished(let steps, _) = ending else { return ending }
    try ContextFile.write(
      trainer.weights,
      ContextDescription(
        settings: settings, shape: trainer.network.shape, atlas: atlas.name,
        atlasFingerprint: atlas.fingerprint, maps: maps.kept.maps.map(\.name), steps: steps,
        merge: SideMerge(atlas.prior.table).digest),
      to: folder.weights)
    return ending
  }
}
