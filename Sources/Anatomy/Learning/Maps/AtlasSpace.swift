import Imaging

/// What label maps are brought to: a grid, its labels, and where their centres lie.
package struct AtlasSpace: Sendable {
  /// Position in the table is the channel.
  package let table: LabelTable
  /// The atlas grid, or another one in atlas world space.
  package let grid: Grid
  /// The centre of each label in atlas world mm; nil for labels that do not count in the alignment.
  package let targets: [SIMD3<Double>?]
}

extension AtlasSpace {
  /// The space of an atlas: with the centroids of MNI305 where the table has its structures, as the
  /// atlas was built, else with those of the prior.
  ///
  /// `grid` is another one than the prior's to learn from, such as a coarser one.
  package init(_ prior: LocationPrior, grid: Grid? = nil) {
    table = prior.table
    self.grid = grid ?? prior.grid
    targets = CentroidAlignment.standardTargets(for: prior.table) ?? prior.centroids
  }
}
