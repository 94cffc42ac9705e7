import Foundation
import Imaging

/// What label maps teach before any network: where each label is to be expected, and how large it is.
package struct Atlas: Sendable {
  /// Letters and digits, as in BIDS file names.
  package let name: String
  /// Name of the space, as in `tpl-NAME`.
  package let space: String
  package let prior: LocationPrior
  /// One entry a label of the table.
  package let volumes: [VolumeStatistics]
  package let origin: AtlasOrigin
  /// 16 hexadecimal digits that tell atlases of one name apart.
  package let fingerprint: String

  package init(
    name: String, space: String, prior: LocationPrior, volumes: [VolumeStatistics],
    origin: AtlasOrigin
  ) {
    self.name = name
    self.space = space
    self.prior = prior
    self.volumes = volumes
    self.origin = origin
    fingerprint = Self.fingerprint(of: prior)
  }
}

extension Atlas {
  /// Whether it lies in MNI305 space, as atlases of heads do.
  package var isHead: Bool { space == CentroidAlignment.headSpace }

  /// Mean volume of all structures of interest together, mm3.
  package var meanVolumeOfInterest: Double {
    zip(volumes, prior.table.isOfInterest).reduce(0) { $1.1 ? $0 + $1.0.mean : $0 }
  }

  /// A structure of which the location prior holds less than the maps it was made from.
  package struct FadedStructure: Equatable, Sendable {
    package let name: String
    /// Its probabilities summed over the grid, and its mean volume over the label maps, mm3.
    package let held: Double
    package let expected: Double
  }

  /// Share of its mean volume below which a structure has faded.
  private static let leastHeld = 0.7

  /// Structures of interest that have faded, which scans will hardly get.
  package var fadedStructures: [FadedStructure] {
    let table = prior.table
    var sums = [Int](repeating: 0, count: table.count)
    for entry in prior.entries { sums[Int(entry >> 8)] += Int(entry & 255) }
    let isOfInterest = table.isOfInterest
    return table.labels.indices.compactMap { label in
      guard isOfInterest[label], volumes[label].count > 0 else { return nil }
      let held = Double(sums[label]) / 255 * prior.grid.voxelVolume
      let expected =
        volumes[label].mean * Double(volumes[label].count) / Double(max(1, origin.maps))
      return held < Self.leastHeld * expected
        ? FadedStructure(name: table.labels[label].name, held: held, expected: expected) : nil
    }
  }
}

/// How an atlas was made.
package struct AtlasOrigin: Codable, Equatable, Sendable {
  /// Label maps it was made from.
  package var maps: Int
  /// Whether their mirror images were added.
  package var mirrored: Bool
  /// Standard deviation of the smoothing, mm.
  package var smoothing: Double
  /// Rounds of non-linear alignment to the group's own prior.
  package var refinements: Int
}

/// A structure's volume over the label maps that hold it, in their own space.
package struct VolumeStatistics: Equatable, Sendable {
  /// Maps that hold the structure.
  package private(set) var count = 0
  /// Mean volume, mm3.
  package private(set) var mean = 0.0
  private var squares = 0.0
  package private(set) var least = Double.infinity
  package private(set) var most = 0.0

  package init() {}

  package init(count: Int, mean: Double, deviation: Double, least: Double, most: Double) {
    self.count = count
    self.mean = mean
    squares = deviation * deviation * Double(max(0, count - 1))
    self.least = least
    self.most = most
  }

  /// Adds one map's volume (Welford's update).
  package mutating func add(_ volume: Double) {
    count += 1
    let before = volume - mean
    mean += before / Double(count)
    squares += before * (volume - mean)
    least = min(least, volume)
    most = max(most, volume)
  }

  /// Sample standard deviation, mm3; 0 for a single map.
  package var deviation: Double { count > 1 ? (squares / Double(count - 1)).squareRoot() : 0 }
}
