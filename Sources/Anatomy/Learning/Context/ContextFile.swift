import Networks

/// A trained `ContextNetwork` as a file.
package typealias ContextFile = WeightsFile<ContextDescription>

/// How a `ContextNetwork` was trained, and for which labels.
package struct ContextDescription: AtlasWeightsDescription {
  package static let key = "segpipe_context"
  package static let kind = "trained context"
  package static let currentVersion = 1

  package var version = currentVersion
  package var settings: ContextSettings
  package var shape: ContextShape
  package var atlas: String
  package var atlasFingerprint: String
  /// Names of the label maps that scans were drawn from.
  package var maps: [String]
  package var steps: Int
  /// `SideMerge.digest`; files of before have none.
  package var merge: String?

  package init(
    settings: ContextSettings, shape: ContextShape, atlas: String, atlasFingerprint: String,
    maps: [String], steps: Int, merge: String? = nil
  ) {
    self.settings = settings
    self.shape = shape
    self.atlas = atlas
    self.atlasFingerprint = atlasFingerprint
    self.maps = maps
    self.steps = steps
    self.merge = merge
  }

  package var fault: String? { shape.fault }
}
