import Anatomy
import Imaging

/// Volumes of the structures of one or more segmentations, a row for each structure of each.
///
/// | column | meaning |
/// |---|---|
/// | subject | name of the scan, without folder and extension |
/// | index, name | the label's, as in its table; background is left out |
/// | voxels | voxels with this label |
/// | hard_mm3 | their volume: voxels times a voxel's volume |
/// | soft_mm3 | the posterior probabilities' sum times a voxel's volume |
package struct VolumesTable: Equatable, Sendable {
  package struct Row: Equatable, Sendable {
    package let subject: String
    package let index: Int32
    package let name: String
    package let voxels: Int
    package let hardVolume: Double
    package let softVolume: Double
  }

  package static let columns = ["subject", "index", "name", "voxels", "hard_mm3", "soft_mm3"]

  package private(set) var rows: [Row] = []

  package init() {}

  /// Adds a segmentation's structures, in the table's order; `volumes` has an entry for each label.
  package mutating func add(subject: String, volumes: [StructureVolume], table: LabelTable) {
    precondition(
      volumes.count == table.count, "\(volumes.count) volumes for \(table.count) labels")
    for (label, volume) in zip(table.labels, volumes) where label.index != 0 {
      rows.append(
        Row(
          subject: subject, index: label.index, name: label.name, voxels: volume.voxels,
          hardVolume: volume.hard, softVolume: volume.soft))
    }
  }

  /// Adds another table's rows.
  package mutating func add(_ other: VolumesTable) { rows += other.rows }

  /// The first line of a file, by which one of these tables is known.
  package static func firstLine(of format: DelimitedText) -> String {
    String(decoding: format.encoded([columns]), as: UTF8.self)
  }

  /// The table as a file's bytes. Volumes have three decimals.
  package func encoded(as format: DelimitedText) -> [UInt8] {
    format.encoded(
      [Self.columns]
        + rows.map { row in
          [
            row.subject, "\(row.index)", row.name, "\(row.voxels)",
            DecimalText.fixed(row.hardVolume, 3),
            DecimalText.fixed(row.softVolume, 3),
          ]
        })
  }
}
