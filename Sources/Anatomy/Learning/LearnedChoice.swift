import Foundation

/// Which trained prior, and what else was learned, go with an atlas that scans are segmented by.
package struct LearnedChoice: Equatable, Sendable {
  /// The file of the trained prior.
  package let prior: String
  /// The file of the encoder of scans; nil: scans are encoded as label maps are.
  package let encoder: String?
  /// The file of the trained context; nil: voxels are labelled each by itself.
  package let context: String?

  package init(prior: String, encoder: String?, context: String?) {
    (self.prior, self.encoder, self.context) = (prior, encoder, context)
  }

  /// What a trained encoder and a trained context are called, beside an atlas or in a workspace.
  package static let encoderName = "encoder.safetensors"
  package static let contextName = "context.safetensors"

  /// The given files; else those in the atlas's folder; else, for the workspace's atlas, those that were
  /// trained in the workspace. An encoder or context that is not given is looked for where the prior is.
  ///
  /// - Returns: nil where there is no trained prior: the location prior then stands alone.
  package static func choose(
    prior: String?, encoder: String?, context: String? = nil, atlas: AtlasChoice
  ) -> LearnedChoice? {
    func existing(_ paths: [String]) -> String? {
      paths.first { FileManager.default.fileExists(atPath: $0) }
    }
    if let prior {
      let folder = (prior as NSString).deletingLastPathComponent
      func beside(_ name: String) -> String? {
        existing([(folder as NSString).appendingPathComponent(name)])
      }
      return LearnedChoice(
        prior: prior, encoder: encoder ?? beside(encoderName),
        context: context ?? beside(contextName))
    }
    var places: [(prior: String, encoders: [String], contexts: [String])] = [
      (
        atlas.folder + "/" + PriorChoice.fileName, [atlas.folder + "/" + encoderName],
        [atlas.folder + "/" + contextName]
      )
    ]
    if atlas.source == .workspace {
      let place = (atlas.folder as NSString).deletingLastPathComponent
      places.append(
        (
          TrainingFolder.prior(place + "/prior").weights,
          ["segmenter", "encoder"].map { TrainingFolder.encoder(place + "/" + $0).weights },
          [TrainingFolder.context(place + "/context").weights]
        ))
    }
    for place in places where existing([place.prior]) != nil {
      return LearnedChoice(
        prior: place.prior, encoder: encoder ?? existing(place.encoders),
        context: context ?? existing(place.contexts))
    }
    return nil
  }

  /// Reads the files. Throws as `PriorFile`, `EncoderFile`, `ContextFile` and `LearnedPrior` do.
  package func read(for atlas: Atlas) throws -> LearnedPrior {
    try LearnedPrior(
      try PriorFile(prior), encoder: try encoder.map { try EncoderFile($0) },
      context: try context.map { try ContextFile($0) }, atlas: atlas)
  }
}
