import Anatomy
import Files
import Foundation
import Imaging

/// What is written beside a label map, as JSON: what made it, from which atlas, what was fitted, and how
/// far it can be trusted. No dates and no paths.
package struct SegmentationSidecar: Encodable, Sendable {
  package struct Generator: Codable, Equatable, Sendable {
    let name: String
    let version: String

    /// As BIDS has it.
    package static let list = [Generator(name: "segpipe", version: Version.current)]

    enum CodingKeys: String, CodingKey {
      case name = "Name"
      case version = "Version"
    }
  }

  /// The atlas, by name and content.
  package struct AtlasIdentity: Codable, Equatable, Sendable {
    let fingerprint: String
    let maps: Int
    let name: String
    let source: String
    let space: String
    /// Digests of the trained prior, of the encoder of scans and of the trained context, where these were used.
    let prior: String?
    let encoder: String?
    let context: String?

    package init(
      _ atlas: Atlas, learned: Learned = .nothing, settings: Segmenter.Settings = .init(),
      source: AtlasChoice.Source
    ) {
      let latent = settings.usesLatent ? learned.prior : nil
      (prior, encoder) = (latent?.file.digest, latent?.encoder?.digest)
      context = settings.usesContext ? learned.context?.digest : nil
      fingerprint = atlas.fingerprint
      maps = atlas.origin.maps
      name = atlas.name
      self.source = source.rawValue
      space = atlas.space
    }

    enum CodingKeys: String, CodingKey {
      case fingerprint = "Fingerprint"
      case maps = "Maps"
      case name = "Name"
      case source = "Source"
      case space = "Space"
      case prior = "TrainedPrior"
      case encoder = "TrainedEncoder"
      case context = "TrainedContext"
    }
  }

  /// Where an image belongs in a dataset, as BIDS has it.
  package struct Place: Equatable, Sendable {
    let spatialReference: String
    /// BIDS URIs of what it was made from.
    package let sources: [String]

    package init(spatialReference: String, sources: [String]) {
      self.spatialReference = spatialReference
      self.sources = sources
    }
  }

  struct Check: Encodable, Sendable {
    let name: String
    let verdict: String
    let value: Double
    let message: String

    enum CodingKeys: String, CodingKey {
      case name = "Name"
      case verdict = "Verdict"
      case value = "Value"
      case message = "Message"
    }
  }

  struct Quality: Encodable, Sendable {
    let verdict: String
    let information: Double
    let tissueInformation: Double
    let gainOfHalfTurn: Double?
    let outsideView: Double
    let largestDisplacement: Double
    let meanEntropy: Double
    let checks: [Check]

    enum CodingKeys: String, CodingKey {
      case verdict = "Verdict"
      case information = "InformationNats"
      case tissueInformation = "TissueInformationNats"
      case gainOfHalfTurn = "GainOfHalfTurnNats"
      case outsideView = "OutsideFieldOfView"
      case largestDisplacement = "LargestDisplacementMM"
      case meanEntropy = "MeanEntropyNats"
      case checks = "Checks"
    }
  }

  let atlas: AtlasIdentity
  let generatedBy = Generator.list
  let intensityModel: [TissueMixture]
  let kind: String
  let quality: Quality
  /// Scan world mm to atlas world mm, rows.
  let transform: [[Double]]
  let sources: [String]?
  let spatialReference: String?

  // In alphabetical order the first ones name segpipe within the first KiB, by which a file is known as
  // our own.
  enum CodingKeys: String, CodingKey {
    case atlas = "Atlas"
    case generatedBy = "GeneratedBy"
    case intensityModel = "IntensityModel"
    case kind = "Kind"
    case quality = "Quality"
    case transform = "ScanToAtlas"
    case sources = "Sources"
    case spatialReference = "SpatialReference"
  }

  package init(
    _ result: Segmentation, checks: [QualityCheck], atlas: AtlasIdentity, table: LabelTable,
    place: Place? = nil
  ) {
    self.atlas = atlas
    (sources, spatialReference) = (place?.sources, place?.spatialReference)
    kind = result.kind.rawValue
    transform = result.transform.rows.map { $0.map { Self.rounded($0, 1e-6) } }
    intensityModel = zip(table.groups, result.model.groups).enumerated().map { place, tissue in
      TissueMixture(
        group: tissue.0,
        gaussians: tissue.1.map {
          TissueMixture.Gaussian(
            mean: Self.significant($0.mean), deviation: Self.significant($0.variance.squareRoot()),
            weight: Self.rounded($0.weight, 1e-4))
        }, zeroShare: Self.rounded(result.model.zeroShare[place], 1e-4))
    }
    quality = Quality(
      verdict: checks.verdict.rawValue,
      information: Self.rounded(result.quality.information, 1e-4),
      tissueInformation: Self.rounded(result.quality.tissueInformation, 1e-4),
      gainOfHalfTurn: result.quality.gainOfHalfTurn.map { Self.rounded($0, 1e-4) },
      outsideView: Self.rounded(result.quality.outsideView, 1e-4),
      largestDisplacement: Self.rounded(result.quality.largestDisplacement, 1e-2),
      meanEntropy: Self.rounded(result.quality.meanEntropy, 1e-4),
      checks: checks.map {
        Check(
          name: $0.name, verdict: $0.verdict.rawValue, value: Self.rounded($0.value, 1e-4),
          message: $0.message)
      })
  }

  /// The file's bytes. Throws: an encoding error.
  package func encoded() throws -> [UInt8] { try JSONBytes.file(self) }

  /// To a multiple of a unit; 0 for what is not finite, for which JSON has no word.
  private static func rounded(_ value: Double, _ unit: Double) -> Double {
    let steps = (value / unit).rounded()
    return steps.isFinite ? steps / (1 / unit).rounded() : 0
  }

  /// To five significant digits: intensities have any range.
  private static func significant(_ value: Double) -> Double {
    guard value.isFinite, value != 0 else { return 0 }
    return Double(String(format: "%.4e", value)) ?? 0
  }
}

/// What is written beside posterior probabilities: which volume is which label.
package struct PosteriorsSidecar: Encodable, Sendable {
  let atlas: SegmentationSidecar.AtlasIdentity
  let generatedBy = SegmentationSidecar.Generator.list
  let labelMap: [String]
  let labelValues: [Int32]
  let sources: [String]?
  let spatialReference: String?

  enum CodingKeys: String, CodingKey {
    case atlas = "Atlas"
    case generatedBy = "GeneratedBy"
    case labelMap = "LabelMap"
    case labelValues = "LabelValues"
    case sources = "Sources"
    case spatialReference = "SpatialReference"
  }

  package init(
    atlas: SegmentationSidecar.AtlasIdentity, table: LabelTable,
    place: SegmentationSidecar.Place? = nil
  ) {
    self.atlas = atlas
    (sources, spatialReference) = (place?.sources, place?.spatialReference)
    labelMap = table.labels.map(\.name)
    labelValues = table.labels.map(\.index)
  }

  /// The file's bytes. Throws: an encoding error.
  package func encoded() throws -> [UInt8] { try JSONBytes.file(self) }
}
