import Imaging

/// Where means and deviations of tissues come from when many scans are learned from.
package enum ObservedIntensities: String, CaseIterable, Sendable {
  /// From each scan.
  case scan
  /// From all scans at once, which share one contrast and scale: the paper's way.
  case dataSet = "data-set"
}

/// Scans gathered to learn from.
package struct ScanObservations {
  private let intensities: ObservedIntensities
  private let known: IntensityFile?
  private var scans: [(name: String, fit: ObservedFit)] = []

  /// Intensities that are `known` are taken as they are.
  package init(_ intensities: ObservedIntensities, known: IntensityFile? = nil) {
    self.intensities = intensities
    self.known = known
  }

  /// Brings a scan to the atlas and estimates its intensities. Throws as `Segmenter.segment`.
  package mutating func add(
    _ scan: Volume<Float>, name: String, path: String, by segmenter: Segmenter
  ) throws {
    add(try segmenter.observe(scan, path: path), name: name)
  }

  mutating func add(_ fit: ObservedFit, name: String) { scans.append((name, fit)) }

  /// All scans by name, in the order they came.
  package func all(_ table: LabelTable) -> [(name: String, observation: ScanObservation)] {
    let shared = known.flatMap { knownModel($0) } ?? (intensities == .dataSet ? sharedModel : nil)
    return scans.map { name, fit in
      (
        name,
        ScanObservation(
          fit.half, model: shared?.shifted(by: -fit.padding) ?? fit.model, table: table,
          isFixed: shared != nil)
      )
    }
  }

  /// The widest scale of all scans, in their own units; nil without any.
  private var widestScale: IntensityScale? {
    guard let first = scans.first?.fit else { return nil }
    return scans.dropFirst().reduce(first.scale) { scale, scan in
      let other = scan.fit.scale
      return IntensityScale(low: min(scale.low, other.low), high: max(scale.high, other.high))
    }
  }

  private func knownModel(_ file: IntensityFile) -> IntensityModel? {
    guard let scale = widestScale, let lanes = scans.first?.fit.model.lanes else { return nil }
    return file.model(on: scale, lanes: lanes)
  }

  /// One model on the widest scale of all, by the summed posteriors of all scans.
  private var sharedModel: IntensityModel? {
    guard let first = scans.first?.fit, let scale = widestScale else { return nil }
    var histogram = GroupHistogram(lanes: first.model.lanes)
    for (_, fit) in scans {
      for group in first.model.groups.indices {
        for row in 0..<IntensityScale.rows - 1 {
          let mass = fit.histogram[row, group]
          guard mass > 0 else { continue }
          let target =
            row == Int(IntensityScale.zero)
            ? row : Int(scale.row(fit.scale.intensity(row)))
          histogram[target, group] += mass
        }
      }
    }
    return IntensityModel(
      histogram: histogram, components: first.model.groups.map(\.count), scale: scale)
  }
}

/// A scan brought to the atlas.
package struct ObservedFit: Sendable {
  /// Averages over 2x2x2 voxels of the atlas grid, the bias field taken off; not a number outside the scan.
  let half: Volume<Float>
  /// What was taken off the scan's own intensities, so that zero means nothing: half and model are without it.
  let padding: Float
  let model: IntensityModel
  let histogram: GroupHistogram

  /// The model's scale in the scan's own units.
  fileprivate var scale: IntensityScale { model.scale.shifted(by: padding) }
}
