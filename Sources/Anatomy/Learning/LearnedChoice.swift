import Foundation

/// Which trained prior, and which encoder of scans, go with an atlas that scans are segmented by.
package struct LearnedChoice: Equatable, Sendable {
  /// The file of the trained prior.
  package let prior: String
  /// The file of the encoder of scans; nil: scans are encoded as label maps are.
  package let encoder: String?

  package init(prior: String, encoder: String?) { (self.prior, self.encoder) = (prior, encoder) }

  /// What a trained encoder is called, beside an atlas or in a workspace.
  package static let encoderName = "encoder.safetensors"

  /// The given files; else those in the atlas's folder; else, for the workspace's atlas, those that were
  /// trained in the workspace. An encoder that is not given is looked for where the prior is.
  ///
  /// - Returns: nil where there is no trained prior: the location prior then stands alone.
  package static func choose(
    prior: String?, encoder: String?, atlas: AtlasChoice
  ) -> LearnedChoice? {
    func existing(_ paths: [String]) -> String? {
      paths.first { FileManager.default.fileExists(atPath: $0) }
    }
    if let prior {
      let folder = (prior as NSString).deletingLastPathComponent
      let beside = (folder as NSString).appendingPathComponent(encoderName)
      return LearnedChoice(prior: prior, encoder: encoder ?? existing([beside]))
    }
    var places: [(prior: String, encoders: [String])] = [
      (atlas.folder + "/" + PriorChoice.fileName, [atlas.folder + "/" + encoderName])
    ]
    if atlas.source == .workspace {
      let place = (atlas.folder as NSString).deletingLastPathComponent
      places.append(
        (
          TrainingFolder.prior(place + "/prior").weights,
          ["segmenter", "encoder"].map { TrainingFolder.encoder(place + "/" + $0).weights }
        ))
    }
    for place in places where existing([place.prior]) != nil {
      return LearnedChoice(prior: place.prior, encoder: encoder ?? existing(place.encoders))
    }
    return nil
  }

  /// Reads the files. Throws as `PriorFile`, `EncoderFile` and `LearnedPrior` do.
  package func read(for atlas: Atlas) throws -> LearnedPrior {
    try LearnedPrior(
      try PriorFile(prior), encoder: try encoder.map { try EncoderFile($0) }, atlas: atlas)
  }
}
