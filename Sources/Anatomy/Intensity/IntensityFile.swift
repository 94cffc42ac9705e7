import Files
import Foundation
import Imaging

/// Intensities of tissue groups in a file: the JSON sidecar that a segmentation leaves beside its label map, or
/// the part `IntensityModel` of one.
package struct IntensityFile: Sendable {
  package let path: String
  private let tissues: [TissueMixture]

  private struct Content: Decodable {
    let tissues: [TissueMixture]

    enum CodingKeys: String, CodingKey { case tissues = "IntensityModel" }
  }

  /// Reads a file, which must tell the intensities of every tissue group of `table`.
  ///
  /// - Throws: `FileError.missing`, `AnatomyError.badIntensities`.
  package init(_ path: String, for table: LabelTable) throws {
    guard FileManager.default.fileExists(atPath: path) else {
      throw FileError.missing(path: path)
    }
    guard let data = FileManager.default.contents(atPath: path),
      let content = try? JSONDecoder().decode(Content.self, from: data)
    else { throw AnatomyError.badIntensities(path: path, found: "no key IntensityModel") }
    self.path = path
    tissues = try table.groups.map { group in
      guard let tissue = content.tissues.first(where: { $0.group == group }) else {
        throw AnatomyError.badIntensities(path: path, found: "nothing on the group \(group)")
      }
      guard tissue.isSound else {
        throw AnatomyError.badIntensities(
          path: path, found: "Gaussians of the group \(group) that are none")
      }
      return tissue
    }
  }

  /// The model of these intensities on a scale; `lanes` is the number of tissue groups, padded.
  func model(on scale: IntensityScale, lanes: Int) -> IntensityModel {
    let least = IntensityModel.leastDeviation * Double(scale.high - scale.low)
    return IntensityModel(
      groups: tissues.map { tissue in
        let sum = tissue.gaussians.reduce(0) { $0 + $1.weight }
        return tissue.gaussians.map {
          IntensityModel.Component(
            weight: $0.weight / sum, mean: $0.mean,
            variance: pow(max(least, $0.deviation), 2))
        }
      }, zeroShare: tissues.map { min(0.9999, max(1e-4, $0.zeroShare)) }, scale: scale,
      lanes: lanes)
  }
}

/// Intensities of a tissue group as files tell them.
package struct TissueMixture: Codable, Equatable, Sendable {
  /// A part of the mixture, in the scan's units.
  package struct Gaussian: Codable, Equatable, Sendable {
    let mean: Double
    let deviation: Double
    let weight: Double

    package init(mean: Double, deviation: Double, weight: Double) {
      (self.mean, self.deviation, self.weight) = (mean, deviation, weight)
    }

    private enum CodingKeys: String, CodingKey {
      case mean = "Mean"
      case deviation = "Deviation"
      case weight = "Weight"
    }
  }

  let group: String
  let gaussians: [Gaussian]
  /// Share of the group's voxels that are exactly zero.
  let zeroShare: Double

  package init(group: String, gaussians: [Gaussian], zeroShare: Double) {
    (self.group, self.gaussians, self.zeroShare) = (group, gaussians, zeroShare)
  }

  private enum CodingKeys: String, CodingKey {
    case group = "Group"
    case gaussians = "Gaussians"
    case zeroShare = "ZeroShare"
  }

  /// Whether it describes a distribution.
  var isSound: Bool {
    !gaussians.isEmpty && (0...1).contains(zeroShare)
      && gaussians.allSatisfy { $0.mean.isFinite && $0.deviation > 0 && $0.weight >= 0 }
      && gaussians.contains { $0.weight > 0 }
  }
}
