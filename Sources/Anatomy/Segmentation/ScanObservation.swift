import Imaging
import Networks

/// A scan as the learned prior sees it: the intensity of every second voxel of the atlas grid along each
/// axis, and what each intensity is worth under each label.
package struct ScanObservation: Sendable {
  /// Rows of `table` over the halved atlas grid; `Observation.unobserved` where nothing is known.
  package let codes: [UInt16]
  package let table: ObservationTable

  /// Takes a scan's or a drawing's averages over 2x2x2 voxels of the atlas grid, not a number where
  /// nothing is known, zero where padded.
  init(_ half: Volume<Float>, model: IntensityModel, table labels: LabelTable) {
    let scale = model.scale
    codes = half.voxels.map { $0 == $0 ? scale.row($0) : Observation.unobserved }
    table = Self.table(model.table(), labels)
  }

  private static func table(_ likelihood: LikelihoodTable, _ labels: LabelTable) -> ObservationTable
  {
    let groupOf = labels.groupOfLabel
    return ObservationTable(codes: IntensityScale.rows, labels: labels.count) { row, label in
      likelihood.values[row * likelihood.lanes + groupOf[label]]
    }
  }

  /// Voxels that are known.
  package var observed: Int { codes.count { $0 != Observation.unobserved } }

  /// The exact form, -log sum over k of f_k p(x given k).
  package var exact: Observation { .exact(codes: codes, table: table) }

  /// The Jensen bound, -sum over k of f_k log p(x given k).
  package var jensen: Observation {
    .jensen(codes: codes, table: table.logarithms)
  }
}
