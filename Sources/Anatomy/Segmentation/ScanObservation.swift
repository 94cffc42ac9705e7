import Imaging
import Networks

/// A scan as the learned prior sees it: the intensity of every second voxel of the atlas grid along each
/// axis, and what each intensity is worth under each label.
package struct ScanObservation: Sendable {
  /// Rows of `table` over the halved atlas grid; `Observation.unobserved` where nothing is known.
  package let codes: [UInt16]
  package let table: ObservationTable
  /// What is expected under each label less each intensity, in standard deviations within tissues.
  private let residuals: ObservationTable

  /// Takes a scan's or a drawing's averages over 2x2x2 voxels of the atlas grid, not a number where
  /// nothing is known, zero where padded. Intensities of tissues vary from place to place unless they
  /// are fixed.
  init(
    _ half: Volume<Float>, model: IntensityModel, table labels: LabelTable, isFixed: Bool = false
  ) {
    let scale = model.scale
    codes = half.voxels.map { $0 == $0 ? scale.row($0) : Observation.unobserved }
    table = Self.table((isFixed ? model : model.varyingByPlace()).table(), labels)
    residuals = Self.residuals(model, labels)
  }

  private static func table(_ likelihood: LikelihoodTable, _ labels: LabelTable) -> ObservationTable
  {
    let groupOf = labels.groupOfLabel
    return ObservationTable(codes: IntensityScale.rows, labels: labels.count) { row, label in
      likelihood[row, groupOf[label]]
    }
  }

  private static func residuals(_ model: IntensityModel, _ labels: LabelTable) -> ObservationTable {
    let groupOf = labels.groupOfLabel
    let moments = model.groups.indices.map { model.moments(of: $0) }
    let deviation =
      (moments.reduce(0) { $0 + $1.variance } / Double(max(1, moments.count))).squareRoot()
    let expected = model.groups.indices.map { (1 - model.zeroShare[$0]) * moments[$0].mean }
    return ObservationTable(codes: IntensityScale.rows, labels: labels.count) { row, label in
      let intensity =
        row == Int(IntensityScale.zero) ? 0 : Double(model.scale.intensity(row))
      return Float((expected[groupOf[label]] - intensity) / deviation)
    }
  }

  /// Voxels that are known.
  package var observed: Int { codes.count { $0 != Observation.unobserved } }

  /// The exact form, -log sum over k of f_k p(x given k).
  package var exact: Observation { .exact(codes: codes, table: table) }

  /// 1/2 (sum over k of f_k mu_k - x)^2 / sigma^2: how well the mean intensity that labels give repeats the
  /// scan, with one sigma for all.
  package var square: Observation { .square(codes: codes, table: residuals) }

  /// The Jensen bound, -sum over k of f_k log p(x given k).
  package var jensen: Observation {
    .jensen(codes: codes, table: table.logarithms)
  }
}
