import COpenBLAS
import Imaging
import Networks

/// Brings label maps into a common space by the centroids of their structures.
package enum CentroidAlignment {
  /// Space of the targets of heads.
  static let headSpace = "MNI305"

  /// Centroids of the structures of FreeSurfer's average subject, in MNI305 mm, by FreeSurfer value.
  package static let mni305: [Int32: SIMD3<Double>] = {
    let sides = zip(HeadStructures.pairs, pairs).flatMap { structure, centroid in
      [(structure.left, centroid.left), (structure.right, centroid.right)]
    }
    let single = zip(HeadStructures.middle.map(\.value), middle)
    return Dictionary(uniqueKeysWithValues: sides + single)
  }()

  /// In the order of `HeadStructures.pairs`.
  private static let pairs: [(left: SIMD3<Double>, right: SIMD3<Double>)] = [
    ([-27.24, -22.21, 18.55], [27.68, -21.3, 18.84]),  // cerebral white matter
    ([-32.19, -16.86, 16.02], [32.7, -15.91, 16.48]),  // cerebral cortex
    ([-14.46, -13.69, 13.71], [15.18, -13.24, 14.26]),  // lateral ventricle
    ([-17.31, -53.43, -36.02], [19.07, -53.51, -35.67]),  // cerebellum white matter
    ([-22.27, -64.37, -37.67], [23.65, -64.42, -37.2]),  // cerebellum cortex
    ([-11.75, -19.88, 5.17], [12.49, -19.23, 5.66]),  // thalamus
    ([-15.03, 9.44, 6.91], [16.16, 9.46, 8.24]),  // caudate
    ([-26.37, -0.16, -2.09], [26.94, 0.55, -2.25]),  // putamen
    ([-20.92, -5.19, -2.41], [22.11, -4.94, -1.95]),  // pallidum
    ([-26.09, -24.43, -15.15], [27.74, -23.38, -14.99]),  // hippocampus
    ([-23.91, -7.34, -20.64], [24.94, -6.01, -20.74]),  // amygdala
    ([-9.63, 10.96, -8.79], [9.99, 10.42, -8.71]),  // accumbens area
    ([-11.46, -16.85, -10.33], [12.43, -16.41, -10.06]),  // ventral diencephalon
  ]

  /// In the order of `HeadStructures.middle`: third and fourth ventricle, brain stem.
  private static let middle: [SIMD3<Double>] = [
    [0.58, -11.12, -3.94], [0.54, -46.56, -33.22], [0.83, -31.95, -31.0],
  ]

  /// Whether label values are those of a head, and not by chance, as values from 1 on without a gap would be: at least 8
  /// of MNI305's structures, 3 of them of both sides, and among values in their range no more others than these.
  package static func isHead(_ values: Set<Int32>) -> Bool {
    let found = values.count { mni305[$0] != nil }
    let paired = HeadStructures.pairs.count {
      values.contains($0.left) && values.contains($0.right)
    }
    return found >= 8 && paired >= 3 && 2 * found >= values.count { (1...63).contains($0) }
  }

  /// Targets for the labels of a table: MNI305's where it is of a head.
  package static func standardTargets(for table: LabelTable) -> [SIMD3<Double>?]? {
    isHead(Set(table.labels.map(\.index))) ? table.labels.map { mni305[$0.index] } : nil
  }

  /// The affine that takes `points` to `targets` with the least sum of squares, and the root mean square
  /// of what is left, in mm. Entries that are nil on either side do not count.
  ///
  /// With fewer than 6 pairs, or pairs too close to a plane, only as much is fitted as they determine:
  /// a translation and, from two pairs on, a common scale.
  package static func fit(
    _ points: [SIMD3<Double>?], to targets: [SIMD3<Double>?]
  ) -> (affine: Affine, rms: Double) {
    let pairs = zip(points, targets).compactMap { point, target in
      point.flatMap { p in target.map { (p, $0) } }
    }
    guard !pairs.isEmpty else { return (.identity, 0) }
    let count = Double(pairs.count)
    let centre = pairs.reduce(SIMD3<Double>.zero) { $0 + $1.0 } / count
    let targetCentre = pairs.reduce(SIMD3<Double>.zero) { $0 + $1.1 } / count
    let affine =
      fullFit(pairs, centre: centre, targetCentre: targetCentre)
      ?? similarityFit(pairs, centre: centre, targetCentre: targetCentre)
    let squares = pairs.reduce(0.0) { sum, pair in
      let left = affine(pair.0) - pair.1
      return sum + (left * left).sum()
    }
    return (affine, (squares / count).squareRoot())
  }

  /// Spread of structures along the thinnest direction, as a share of that along the widest, that tells a third axis. In
  /// heads it is 0.47.
  private static let leastSpread = 0.1

  /// All twelve parameters, or nil where the pairs do not determine them.
  private static func fullFit(
    _ pairs: [(SIMD3<Double>, SIMD3<Double>)], centre: SIMD3<Double>, targetCentre: SIMD3<Double>
  ) -> Affine? {
    guard pairs.count >= 6 else { return nil }
    // Normal equations of y = M x, both centred: (sum x xT) MT = sum x yT.
    var normal = [Double](repeating: 0, count: 9)
    var right = [Double](repeating: 0, count: 9)
    var targets = [Double](repeating: 0, count: 9)
    for (point, target) in pairs {
      let x = point - centre
      let y = target - targetCentre
      for i in 0..<3 {
        for j in 0..<3 {
          normal[3 * j + i] += x[i] * x[j]
          right[3 * j + i] += x[i] * y[j]
          targets[3 * j + i] += y[i] * y[j]
        }
      }
    }
    // A plane determines no third axis, nor does a row of vertebrae: what differs between maps must not pass for one.
    // Targets in a plane, as the mean of maps and of their mirror images is, would flatten what is brought to them.
    for places in [normal, targets] {
      let spread = SymmetricEigen.decompose(places, size: 3).values
      guard spread[2] > leastSpread * leastSpread * spread[0] else { return nil }
    }
    _ = OpenBLAS.onOneThread
    var (order, info) = (Int32(3), Int32(0))
    dposv_("U", &order, &order, &normal, &order, &right, &order, &info)
    guard info == 0 else { return nil }
    let linear = Affine(
      columns: (
        SIMD3(right[0], right[3], right[6]), SIMD3(right[1], right[4], right[7]),
        SIMD3(right[2], right[5], right[8])
      ), translation: .zero)
    return Affine(columns: linear.columns, translation: targetCentre - linear.linear(centre))
  }

  /// Correlation of few structures' places with their targets from which on these tell a scale: where a tumour may lie
  /// anywhere in its organ, distances to the mean place tell nothing of size.
  private static let leastCorrelation = 0.9
  /// The most that sizes differ from those of their mean, either way.
  private static let mostScale = 2.0

  private static func similarityFit(
    _ pairs: [(SIMD3<Double>, SIMD3<Double>)], centre: SIMD3<Double>, targetCentre: SIMD3<Double>
  ) -> Affine {
    var (own, targets, common) = (0.0, 0.0, 0.0)
    for (point, target) in pairs {
      let d = point - centre
      let e = target - targetCentre
      own += (d * d).sum()
      targets += (e * e).sum()
      common += (d * e).sum()
    }
    var scale = 1.0
    if own > 0, targets > 0, common > leastCorrelation * (own * targets).squareRoot() {
      scale = max(1 / mostScale, min(mostScale, (targets / own).squareRoot()))
    }
    let columns = Affine.identity.columns
    return Affine(
      columns: (columns.0 * scale, columns.1 * scale, columns.2 * scale),
      translation: targetCentre - centre * scale)
  }
}
