import Imaging

/// What of the rules for borders between tissues applies to an atlas's labels: those of `FluidBorders` and `MixedVoxels`.
package struct BorderRules: Equatable, Sendable {
  /// Fluid that may border on other structures of interest: its likelihood ends between the two.
  package let endsFluid: Bool
  /// Cortex beside it, where fluid reaches further.
  package let hasCortex: Bool
  /// Fluid, white matter and grey matter beneath the cortex, which a mixture of the first two looks like.
  package let findsMixtures: Bool

  package init(_ table: LabelTable) {
    var isFluidGroup = [Bool](repeating: true, count: table.groups.count)
    for (label, group) in zip(table.labels, table.groupOfLabel)
    where label.tissue != .cerebrospinalFluid {
      isFluidGroup[group] = false
    }
    let isOfInterest = table.isOfInterest
    let fluid = table.labels.indices.filter { isFluidGroup[table.groupOfLabel[$0]] }
    let others = table.labels.indices.filter { isOfInterest[$0] && !fluid.contains($0) }
    func holds(_ tissue: BIDSTissue) -> Bool {
      table.labels.indices.contains { table.labels[$0].tissue == tissue && !fluid.contains($0) }
    }
    endsFluid = !fluid.isEmpty && !others.isEmpty
    hasCortex = endsFluid && holds(.corticalGreyMatter)
    findsMixtures = !fluid.isEmpty && holds(.whiteMatter) && holds(.subcorticalGreyMatter)
  }
}
