import Imaging

/// What the tissues of a synthetic scan look like.
package enum SyntheticContrast: String, CaseIterable, Sendable {
  /// White matter brighter than grey, fluid dark.
  case t1
  /// Fluid bright, white matter darker than grey.
  case t2
  /// Any brightness for any tissue group.
  case random
}

/// Brightness of each tissue group, the brightest about 1, and its spread within the group.
struct TissueIntensities: Sendable {
  let means: [Float]
  let deviations: [Float]

  init(_ contrast: SyntheticContrast, table: LabelTable, _ random: CounterRandom) {
    var means = [Float](repeating: 0, count: table.groups.count)
    var deviations = means
    let isOfInterest = table.isOfInterest
    for (group, name) in table.groups.enumerated() {
      let members = table.labels.indices.filter { table.groupOfLabel[$0] == group }
      let isBackground = members.contains(0)
      // Organs that all are soft tissue do not all look alike.
      let tissue = members.first.flatMap { label in
        table.labels[label].tissue.flatMap { isOfInterest[label] && $0.surroundsBrains ? nil : $0 }
      }
      let typical = Self.brightness(tissue: tissue, name: name)
      let known = contrast == .t2 ? typical?.t2 : typical?.t1
      let drawn = Float(random.uniform(2 * group))
      if isBackground {
        means[group] = 0
      } else if contrast != .random, let known {
        means[group] = known + 0.04 * (drawn - 0.5)
      } else {
        means[group] = 0.1 + 0.9 * drawn
      }
      deviations[group] = isBackground ? 0 : 0.02 + 0.02 * Float(random.uniform(2 * group + 1))
    }
    self.means = means
    self.deviations = deviations
  }

  /// Typical brightness at 3 T, of the standard tissues; nil where nothing is known.
  private static func brightness(
    tissue: BIDSTissue?, name: String
  ) -> (t1: Float, t2: Float)? {
    if name.contains("white-matter") { return (0.86, 0.40) }
    if name.contains("marrow") { return (0.80, 0.55) }
    switch tissue {
    case .greyMatter, .corticalGreyMatter: return (0.58, 0.60)
    case .whiteMatter: return (0.86, 0.40)
    case .cerebrospinalFluid: return (0.24, 1)
    case .bone: return (0.12, 0.10)
    case .softTissue: return (0.66, 0.35)
    case .nonBrain: return (0.48, 0.70)
    case .subcorticalGreyMatter: return (0.70, 0.50)
    case .brainStem: return (0.78, 0.46)
    case .cerebellum: return (0.60, 0.58)
    case .background, .lesion, nil: return nil
    }
  }
}
