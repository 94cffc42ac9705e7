import Anatomy
import Imaging

extension EncoderTraining.Inputs {
  /// Label maps, aligned; those held out, by name, are only looked at. `scans` are learned from beside them.
  ///
  /// - Throws: `AnatomyError`, `ImagingError`.
  static func maps(
    _ given: LearningInputs, holdingOut holdOut: [String], reading: ReadOptions,
    console: Console, scans: [NamedScan] = []
  ) throws -> EncoderTraining.Inputs {
    let maps = try given.aligned(holdingOut: holdOut, reading: reading, console: console)
    return Self(maps: maps, scans: scans)
  }

  /// Scans, registered and observed, by name: their order makes no difference. `advance` is told how much is done,
  /// 0...1.
  ///
  /// - Throws: `AnatomyError`, `ImagingError`.
  static func observed(
    _ paths: [String], _ intensities: ObservedIntensities, atlas: Atlas, reading: ReadOptions,
    console: Console, known: IntensityFile? = nil, advance: (Double) -> Void
  ) throws -> [NamedScan] {
    let segmenter = try Segmenter(prior: atlas.prior)
    var observed = ScanObservations(intensities, known: known)
    let named = paths.map { (name: ScanList.name(of: $0), path: $0) }
      .sorted { ($0.name, $0.path) < ($1.name, $1.path) }
    for (index, (name, path)) in named.enumerated() {
      let image = try ImageReader.readScan(path, reading)
      console.show(image.findings, of: path)
      try observed.add(image.volume, name: name, path: path, by: segmenter)
      advance(Double(index + 1) / Double(paths.count))
    }
    return observed.all(atlas.prior.table)
  }
}
