import Imaging

/// Volumes of the structures of anatomies on one grid, a row for each structure of each.
///
/// | column | meaning |
/// |---|---|
/// | sample | name of the anatomy's file, without extension |
/// | index, name | the label's, as in its table; background is left out |
/// | mm3 | voxels with this label times a voxel's volume |
package struct AnatomyVolumesTable: Equatable, Sendable {
  package static let columns = ["sample", "index", "name", "mm3"]

  private var rows: [[String?]] = [Self.columns]

  package init() {}

  /// Adds an anatomy's structures, in the table's order; `volumes` has an entry for each label.
  package mutating func add(sample: String, volumes: [Double], table: LabelTable) {
    precondition(
      volumes.count == table.count, "\(volumes.count) volumes for \(table.count) labels")
    for (label, volume) in zip(table.labels, volumes) where label.index != 0 {
      rows.append([sample, "\(label.index)", label.name, DecimalText.fixed(volume, 3)])
    }
  }

  /// The first line of a file, by which one of these tables is known.
  package static var firstLine: String {
    String(decoding: DelimitedText.tsv.encoded([columns]), as: UTF8.self)
  }

  /// The table as a file's bytes.
  package func encoded() -> [UInt8] { DelimitedText.tsv.encoded(rows) }
}
