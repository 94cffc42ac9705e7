import Imaging
import Parallel

/// Volumes of labels on the atlas grid.
package enum LabelVolumes {
  /// mm3 of each label of a table, from positions in it; other positions count for none.
  package static func of(_ channels: [UInt8], labels: Int, grid: Grid) -> [Double] {
    let size = 1 << 18
    let parts = Parallel.map((channels.count + size - 1) / size) { part in
      var counts = [Int](repeating: 0, count: 256)
      for channel in channels[part * size..<min(channels.count, (part + 1) * size)] {
        counts[Int(channel)] += 1
      }
      return counts
    }
    return (0..<labels).map { label in
      Double(parts.reduce(0) { $0 + $1[label] }) * grid.voxelVolume
    }
  }
}

/// Volumes of labels over the maps that a prior was trained on, aligned and on the atlas grid.
package struct TrainingVolumes: Codable, Equatable, Sendable {
  /// Maps and mirror images.
  package let maps: Int
  /// One entry a label of the table, over the maps that hold it.
  package let labels: [VolumeStatistics]

  /// Over maps and their mirror images.
  package init(_ maps: AlignedMaps) {
    let count = maps.space.table.count
    var labels = [VolumeStatistics](repeating: VolumeStatistics(), count: count)
    var images = 0
    for map in maps.maps {
      for channels in [map.channels, map.mirrored].compactMap({ $0 }) {
        images += 1
        let volumes = LabelVolumes.of(channels, labels: count, grid: maps.space.grid)
        for label in 0..<count where volumes[label] > 0 { labels[label].add(volumes[label]) }
      }
    }
    self.maps = images
    self.labels = labels
  }

  /// From statistics gathered elsewhere.
  package init(maps: Int, labels: [VolumeStatistics]) {
    self.maps = maps
    self.labels = labels
  }
}

extension VolumeStatistics: Codable {
  private enum Key: String, CodingKey { case count, mean, deviation, least, most }

  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: Key.self)
    let count = try values.decode(Int.self, forKey: .count)
    guard count > 0 else {
      self.init()
      return
    }
    self.init(
      count: count, mean: try values.decode(Double.self, forKey: .mean),
      deviation: try values.decode(Double.self, forKey: .deviation),
      least: try values.decode(Double.self, forKey: .least),
      most: try values.decode(Double.self, forKey: .most))
    guard (0...most).contains(least) else {
      throw DecodingError.dataCorruptedError(
        forKey: .least, in: values, debugDescription: "least \(least), most \(most)")
    }
  }

  package func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: Key.self)
    try values.encode(count, forKey: .count)
    guard count > 0 else { return }
    try values.encode(mean, forKey: .mean)
    try values.encode(deviation, forKey: .deviation)
    try values.encode(least, forKey: .least)
    try values.encode(most, forKey: .most)
  }
}
