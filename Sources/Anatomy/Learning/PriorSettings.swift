import Networks

/// How the prior auto-encoder is built and trained.
package struct PriorSettings: Hashable, Sendable, Codable {
  /// Latent dimensions in each cell of the coarsest level.
  package var latentChannels = 8

  package init() {}

  /// The network for an atlas.
  package func shape(for prior: LocationPrior) throws -> WarpingShape {
    try .standard(
      labels: prior.table.count, extents: prior.grid.networkExtents,
      latentChannels: latentChannels)
  }
}
