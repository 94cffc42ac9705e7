import Foundation

/// Which files that were trained go with an atlas that scans are segmented by.
package struct LearnedChoice: Equatable, Sendable {
  /// Of the trained prior; nil: the location prior stands alone.
  package let prior: String?
  /// Of the encoder of scans; nil: scans are encoded as label maps are.
  package let encoder: String?
  /// Of the trained context; nil: voxels are labelled each by itself.
  package let context: String?

  /// Encoders that would have been taken before it, were they not of another prior.
  package private(set) var passedOver: [String] = []

  package static let nothing = LearnedChoice(prior: nil, encoder: nil, context: nil)

  package init(prior: String?, encoder: String?, context: String?) {
    (self.prior, self.encoder, self.context) = (prior, encoder, context)
  }

  /// The given files; else those in the atlas's folder; else, for the workspace's atlas, those that were
  /// trained in the workspace. An encoder or context that is not given is looked for where a prior that is given
  /// lies, a context, which is of the atlas alone, then where it is looked for without that prior. Of a workspace's
  /// encoders the first that belongs to its prior is taken, if any does.
  ///
  /// - Throws: `AnatomyError.noPrior` for an encoder that is given where there is no prior.
  package static func choose(
    prior: String?, encoder: String?, context: String? = nil, atlas: AtlasChoice
  ) throws -> LearnedChoice {
    var places: [(prior: String, encoders: [String], context: String)] = [
      (
        atlas.folder + "/" + WeightsName.prior, [atlas.folder + "/" + WeightsName.encoder],
        atlas.folder + "/" + WeightsName.context
      )
    ]
    if atlas.source == .workspace {
      let place = (atlas.folder as NSString).deletingLastPathComponent
      places.append(
        (
          TrainingFolder.prior(place + "/prior").weights,
          ["segmenter", "encoder"].map { TrainingFolder.encoder(place + "/" + $0).weights },
          TrainingFolder.context(place + "/context").weights
        ))
    }
    if let prior {
      let folder = (prior as NSString).deletingLastPathComponent
      func beside(_ name: String) -> String { (folder as NSString).appendingPathComponent(name) }
      return LearnedChoice(
        prior: prior, encoder: encoder ?? existing([beside(WeightsName.encoder)]),
        context: context ?? existing([beside(WeightsName.context)] + places.map(\.context)))
    }
    for place in places where existing([place.prior, place.context]) != nil {
      let found = existing([place.prior])
      guard found != nil || encoder == nil else { break }
      var (taken, passedOver) = (encoder, [String]())
      if let found, encoder == nil { (taken, passedOver) = fitting(place.encoders, to: found) }
      var choice = LearnedChoice(
        prior: found, encoder: taken, context: context ?? existing([place.context]))
      choice.passedOver = passedOver
      return choice
    }
    guard encoder == nil else { throw AnatomyError.noPrior(tried: places.map(\.prior)) }
    return LearnedChoice(prior: nil, encoder: nil, context: context)
  }

  /// The context in an atlas's folder, if it has one.
  package static func context(in folder: String) -> String? {
    existing([folder + "/" + WeightsName.context])
  }

  /// Of the encoders that are there the first that does not belong to another prior, or else the first of all, which reading
  /// then refuses; and those passed over for it.
  private static func fitting(
    _ encoders: [String], to prior: String
  ) -> (encoder: String?, passedOver: [String]) {
    let there = encoders.filter { existing([$0]) != nil }
    guard there.count > 1, let file = try? PriorFile(prior),
      let place = there.firstIndex(where: { !isOfAnother($0, than: file) })
    else { return (there.first, []) }
    return (there[place], Array(there[..<place]))
  }

  private static func isOfAnother(_ encoder: String, than prior: PriorFile) -> Bool {
    do {
      try EncoderFile(encoder).check(prior)
    } catch AnatomyError.otherPrior {
      return true
    } catch {
      // Whatever is wrong with it is told when it is read.
    }
    return false
  }

  private static func existing(_ paths: [String]) -> String? {
    paths.first { FileManager.default.fileExists(atPath: $0) }
  }

  /// Reads the files. Throws as `PriorFile`, `EncoderFile`, `ContextFile`, `LearnedPrior` and `Learned` do.
  package func read(for atlas: Atlas) throws -> Learned {
    try Learned(
      try prior.map {
        try LearnedPrior(
          try PriorFile($0), encoder: try encoder.map { try EncoderFile($0) }, atlas: atlas)
      }, context: try context.map { try ContextFile($0) }, atlas: atlas)
  }
}
