import Files
import Networks

/// A training of an encoder of scans from its files to its files.
package struct EncoderTraining: Training {
  package let settings: EncoderSettings
  package let atlas: Atlas
  package let prior: PriorFile
  /// Where training starts; nil: with the encoder of label maps that came with the prior.
  package let start: EncoderFile?
  package let inputs: Inputs
  package let folder: TrainingFolder
  package var checkpointInterval = 250
  package var hooks = TrainingHooks<EncoderReport>()

  /// What is learned from, with its names.
  package struct Inputs {
    package typealias NamedScan = (name: String, observation: ScanObservation)

    /// Label maps that scans are drawn from.
    package var maps: TrainingMaps?
    /// Scans without labels.
    package var scans: [NamedScan]

    package init(maps: TrainingMaps? = nil, scans: [NamedScan] = []) {
      self.maps = maps
      self.scans = scans
    }

    var names: [String] { (maps?.kept.maps.map(\.name) ?? []) + scans.map(\.name) }
  }

  package init(
    _ settings: EncoderSettings, atlas: Atlas, prior: PriorFile, start: EncoderFile?,
    inputs: Inputs, folder: TrainingFolder
  ) {
    self.settings = settings
    self.atlas = atlas
    self.prior = prior
    self.start = start
    self.inputs = inputs
    self.folder = folder
  }

  /// Checks that a training through a prior fits into memory, before anything large is read. `maps` are those that
  /// scans are drawn from; `available` bytes are to be had, nil if that is not known.
  ///
  /// - Throws: `AnatomyError.tooLittleMemory`, `NetworkError.invalidShape`.
  package static func checkMemory(
    through prior: PriorFile, _ atlas: Atlas, maps: Int, scans: Int, available: Int?
  ) throws {
    let voxels = atlas.prior.grid.count
    let training = try prior.description.settings.trainingBytes(for: atlas.prior, maps: maps)
    // Scans are fitted before, and kept at half the resolution.
    let fitting = SegmentationMemory(
      atlas: voxels, labels: atlas.prior.table.count, readsAnatomy: false, usesContext: false
    ).whole(voxels: 0)
    let needed = max(scans > 0 ? fitting : 0, training + scans * voxels / 4)
    try AnatomyError.checkMemory(needed: needed, available: available)
  }

  /// A gain, in Dice or nats a voxel.
  private static let leastGain = 0.001

  package func run() throws -> TrainingEnding {
    let identity = try identity
    try TrainingIdentity(identity).check(folder.checkpoints)
    let learned = try LearnedPrior(prior, encoder: start, atlas: atlas)
    let encoder = try ObservationEncoder(through: try learned.network(), trains: true)
    if let start {
      try start.load(into: encoder.parameters)
      encoder.update()
    } else {
      encoder.adopt()
    }
    let decoder = Self.digest(encoder.model.parameters)
    let (given, shown) = trainerInputs
    let trainer = try EncoderTrainer(
      settings, encoder: encoder, prior: atlas.prior, inputs: given, evaluated: shown,
      notes: identity)
    let ending = try run(trainer, leastGain: Self.leastGain)
    precondition(
      Self.digest(encoder.model.parameters) == decoder, "the frozen decoder has changed")
    guard case .finished(let steps, _) = ending else { return ending }
    let training = EncoderDescription.Training(
      settings: settings, inputs: inputs.names, steps: steps)
    try EncoderFile.write(
      encoder.parameters,
      EncoderDescription(
        atlas: atlas.name, decoder: try prior.decoderDigest(),
        trainings: (start?.description.trainings ?? []) + [training]),
      to: folder.weights)
    return ending
  }

  private var trainerInputs: (given: EncoderTrainer.Inputs, shown: EncoderTrainer.Inputs) {
    let scans = inputs.scans.map(\.observation)
    let shown = inputs.maps.map { $0.heldOut ?? $0.kept.shown }
    return (.init(maps: inputs.maps?.kept, scans: scans), .init(maps: shown, scans: scans))
  }

  private static func digest(_ values: ParameterValues) -> String {
    var hash = SHA256()
    hash.update(UnsafeRawBufferPointer(values.all.elements))
    return hash.hexadecimal
  }

  /// Everything that decides what a step does.
  private var identity: [String: String] {
    get throws {
      var hash = SHA256()
      for map in inputs.maps?.kept.maps ?? [] {
        map.channels.withUnsafeBytes { hash.update($0) }
      }
      for scan in inputs.scans {
        scan.observation.codes.withUnsafeBytes { hash.update($0) }
        scan.observation.table.values.withUnsafeBytes { hash.update($0) }
      }
      return [
        "settings": try settings.sortedJSON(), "fits": "version \(Segmenter.fitVersion)",
        "atlas": "\(atlas.name) \(atlas.fingerprint)", "label table": atlas.prior.table.digest,
        "decoder": try prior.decoderDigest(),
        "start": start?.digest ?? "the prior's own encoder",
        "inputs": inputs.names.joined(separator: ", "), "content": hash.hexadecimal,
      ]
    }
  }
}
