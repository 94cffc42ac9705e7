import Imaging

/// What the tissue groups of an atlas are to fluid, by group.
struct FluidGroups: Sendable {
  /// All labels are cerebrospinal fluid or lie in it.
  let fluid: [Bool]
  /// Structures of interest other than fluid.
  let tissue: [Bool]
  /// White matter and nuclei: fluid's intensities are to be kept from them. Cortex folds around fluid, and
  /// shares voxels with it in anyone.
  let inner: [Bool]
  /// Grey matter beneath the cortex.
  let nuclei: [Bool]
  /// Nuclei beside fluid, which may lie where any of them is expected.
  let yielding: [Bool]
}

extension FluidGroups {
  /// `tissues` has the BIDS tissues of each group's labels, nil where a label has none; `isTarget` tells structures
  /// of interest; `prior` is the location prior of the groups.
  init(tissues: [[BIDSTissue?]], isTarget: [Bool], prior: GroupPrior) {
    func all(_ kinds: Set<BIDSTissue>) -> [Bool] {
      tissues.map { $0.allSatisfy { $0.map(kinds.contains) ?? false } }
    }
    let (fluid, nuclei) = (all([.cerebrospinalFluid]), all([.subcorticalGreyMatter]))
    self.fluid = fluid
    self.nuclei = nuclei
    tissue = isTarget.indices.map { isTarget[$0] && !fluid[$0] }
    inner = all([.whiteMatter, .subcorticalGreyMatter])
    yielding = zip(nuclei, Self.fluidAround(prior, fluid)).map { $0 && $1 > Self.leastFluid }
  }

  /// The mean probability of fluid, 0 to 1, where each group lies.
  private static func fluidAround(_ prior: GroupPrior, _ fluid: [Bool]) -> [Double] {
    let extents = prior.grid.extents
    var (mass, shared) = (fluid.map { _ in 0.0 }, fluid.map { _ in 0.0 })
    for z in 0..<extents.z {
      for y in 0..<extents.y {
        for x in 0..<extents.x {
          let values = fluid.indices.map { Double(prior.value(x, y, z, $0)) }
          let sum = values.reduce(0, +)
          guard sum > 0 else { continue }
          let wet = fluid.indices.reduce(0) { $0 + (fluid[$1] ? values[$1] : 0) } / sum
          for group in fluid.indices {
            mass[group] += values[group]
            shared[group] += values[group] * wet
          }
        }
      }
    }
    return zip(shared, mass).map { $1 > 0 ? $0 / $1 : 0 }
  }

  /// Caudate, thalamus and hippocampus have 0.1 to 0.2 in blocks of 4 mm, putamen and pallidum 0.004 and less.
  private static let leastFluid = 0.03
}
