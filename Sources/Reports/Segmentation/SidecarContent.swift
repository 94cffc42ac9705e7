import Foundation

/// What a study reads of the sidecar of a label map.
struct SidecarContent: Decodable {
  struct Check: Decodable {
    let name: String
    let verdict: String

    enum CodingKeys: String, CodingKey {
      case name = "Name"
      case verdict = "Verdict"
    }
  }

  struct Quality: Decodable {
    let verdict: String
    let information: Double
    let outsideView: Double
    let checks: [Check]

    /// Checks that did not pass.
    var doubts: [String] {
      checks.filter { $0.verdict != "PASS" }.map { "\($0.verdict) \($0.name)" }
    }

    enum CodingKeys: String, CodingKey {
      case verdict = "Verdict"
      case information = "InformationNats"
      case outsideView = "OutsideFieldOfView"
      case checks = "Checks"
    }
  }

  let atlas: SegmentationSidecar.AtlasIdentity
  let quality: Quality

  enum CodingKeys: String, CodingKey {
    case atlas = "Atlas"
    case quality = "Quality"
  }

  /// Nil for what is no sidecar of ours.
  init?(_ data: Data) {
    guard let found = try? JSONDecoder().decode(Self.self, from: data) else { return nil }
    self = found
  }
}
