import Networks

/// A training of the prior auto-encoder from its files to its files.
package struct PriorTraining: MapTraining {
  package let settings: PriorSettings
  package let atlas: Atlas
  package let maps: TrainingMaps
  package let folder: TrainingFolder
  package var checkpointInterval = 250
  package var hooks = TrainingHooks<PriorReport>()

  package init(
    _ settings: PriorSettings, atlas: Atlas, maps: TrainingMaps, folder: TrainingFolder
  ) {
    self.settings = settings
    self.atlas = atlas
    self.maps = maps
    self.folder = folder
  }

  package static func files(_ path: String) -> TrainingFolder { .prior(path) }

  package static func bytes(
    _ settings: PriorSettings, for prior: LocationPrior, maps: Int
  ) throws -> Int {
    try settings.trainingBytes(for: prior, maps: maps)
  }

  package func run() throws -> TrainingEnding {
    let identity = try TrainingIdentity.values(settings, atlas: atlas, maps: maps.kept)
    try TrainingIdentity(identity).check(folder.checkpoints)
    let trainer = try PriorTrainer(
      settings, prior: atlas.prior, maps: maps.kept, evaluated: maps.heldOut ?? maps.kept.shown,
      heldOut: maps.heldOut != nil, notes: identity)
    let ending = try run(trainer, leastGain: PriorSettings.leastGain)
    guard case .finished(let steps, _) = ending else { return ending }
    return try finish(trainer) ? ending : .stopped(steps: steps)
  }

  /// Writes the trained prior; false if asked to stop meanwhile.
  private func finish(_ trainer: PriorTrainer) throws -> Bool {
    guard let encodings = try trainer.encodings(unless: hooks.shouldStop) else { return false }
    try PriorFile.write(
      trainer.model, encodings,
      PriorDescription(
        settings: settings, atlas: atlas.name, atlasFingerprint: atlas.fingerprint,
        maps: maps.kept.maps.map(\.name), steps: trainer.state.adam.steps,
        volumes: TrainingVolumes(maps.kept)),
      to: folder.weights)
    return true
  }
}
