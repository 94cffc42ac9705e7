import Imaging
import Networks

/// What was trained for an atlas, as scans are segmented by it.
package struct Learned: Sendable {
  /// By which anatomy is read; nil: the location prior and a warp alone.
  package let prior: LearnedPrior?
  /// What has learned how labels lie beside each other; nil: voxels are labelled each by itself.
  package let context: ContextFile?
  let contextReader: ContextReader?

  package static let nothing = Learned(prior: nil, context: nil, reader: nil)

  private init(prior: LearnedPrior?, context: ContextFile?, reader: ContextReader?) {
    (self.prior, self.context, contextReader) = (prior, context, reader)
  }

  /// - Throws: `AnatomyError.otherAtlas` for a context that was trained with another atlas.
  package init(_ prior: LearnedPrior?, context: ContextFile? = nil, atlas: Atlas) throws {
    self.init(
      prior: prior, context: context,
      reader: try context.map { try ContextReader($0, atlas: atlas) })
  }

  /// The same with another table of as many labels: other tissue groups.
  func replacing(_ table: LabelTable) -> Learned {
    Learned(prior: prior?.replacing(table), context: context, reader: contextReader)
  }
}

/// A trained prior as scans are read by it.
package struct LearnedPrior: Sendable {
  package let file: PriorFile
  /// The encoder of scans; nil: scans are encoded as label maps are.
  package let encoder: EncoderFile?
  private let shape: WarpingShape
  private var prior: LocationPrior
  private let bytes: BytePrior

  /// - Throws: `AnatomyError.otherAtlas` if it was trained with another atlas,
  ///   `AnatomyError.otherPrior` if the encoder was trained through another prior,
  ///   `AnatomyError.priorNotForScans`.
  package init(_ file: PriorFile, encoder: EncoderFile? = nil, atlas: Atlas) throws {
    try file.check(atlas)
    try encoder?.check(file)
    guard file.description.settings.architecture == .warping else {
      throw AnatomyError.priorNotForScans(
        path: file.path, architecture: file.description.settings.architecture.rawValue)
    }
    self.file = file
    self.encoder = encoder
    prior = atlas.prior
    shape = try file.description.settings.shape(for: prior)
    bytes = prior.bytes
  }

  /// The same with another table of as many labels: other tissue groups.
  func replacing(_ table: LabelTable) -> LearnedPrior {
    var result = self
    result.prior = prior.replacing(table)
    return result
  }

  /// The network for one scan; networks hold buffers, and serve one scan at a time. Throws
  /// `NetworkError`.
  func network() throws -> WarpingAutoEncoder {
    let model = try WarpingAutoEncoder(shape, prior: bytes, for: .latentGradient)
    try file.load(into: model.parameters)
    model.update()
    return model
  }

  /// The label prior that a network makes of a scan's z, on the atlas grid.
  func decoded(
    _ model: WarpingAutoEncoder, _ z: [Float], parts: DecodedParts
  ) throws -> LocationPrior {
    try prior.remade { keep in try model.probabilities(at: z, parts: parts, keep) }
  }
}

/// The networks of one scan.
struct ScanReader {
  let model: WarpingAutoEncoder
  /// Nil: scans are encoded as label maps are.
  private let encoder: ObservationEncoder?

  /// Throws `NetworkError`.
  init(_ learned: LearnedPrior) throws {
    model = try learned.network()
    guard let file = learned.encoder else {
      encoder = nil
      return
    }
    let own = try ObservationEncoder(through: model, trains: false)
    try file.load(into: own.parameters)
    own.update()
    encoder = own
  }

  /// q(z given what was observed), by the encoder of scans if there is one.
  func encode(_ observed: Observation) -> GaussianLatent {
    encoder?.encode(observed) ?? model.encode(observed)
  }
}
