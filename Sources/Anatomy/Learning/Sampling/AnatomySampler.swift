/// Draws anatomies from a trained prior, again where their volumes are none that its maps speak for.
package struct AnatomySampler {
  /// An anatomy on the atlas grid.
  package struct Sample: Sendable {
    /// Positions in the table.
    package let labels: [UInt8]
    /// mm3 of each label.
    package let volumes: [Double]
    /// How many were drawn until this one was kept, from 1.
    package let draws: Int
  }

  private let model: PriorModel
  private let source: LatentSource
  private let mostProbable: Bool
  private let draws: Int
  private let ranges: VolumeRanges?

  /// `mostProbable` takes the most probable label of every voxel instead of drawing it. Up to `draws`
  /// anatomies are drawn for one whose volumes all lie in the range of the training maps
  /// (`VolumeRanges`); the last is kept as it is.
  package init(_ model: PriorModel, _ source: LatentSource, mostProbable: Bool, draws: Int) {
    precondition((1...255).contains(draws), "\(draws) draws")
    self.model = model
    self.source = source
    self.mostProbable = mostProbable
    self.draws = draws
    ranges = model.file.description.volumes.flatMap { VolumeRanges($0, table: model.space.table) }
  }

  /// The sample of one number; it depends on the seed of the source and on the number alone. Throws
  /// `NetworkError`.
  package func sample(_ number: Int) throws -> Sample {
    var draw = 1
    while true {
      let z = source.latent(number, draw: draw)
      let labels =
        try mostProbable
        ? model.mostProbable(z)
        : model.drawn(z, seed: source.seed, number: LatentSource.stream(number, draw: draw))
      let volumes = LabelVolumes.of(
        labels, labels: model.space.table.count, grid: model.space.grid)
      if draw == draws || ranges?.holdAll(volumes) ?? true {
        return Sample(labels: labels, volumes: volumes, draws: draw)
      }
      draw += 1
    }
  }
}
