import Imaging
import Parallel

/// Warps label maps smoothly to a location prior: the same fit that scans get, with labels in place of
/// intensities.
struct MapAligner {
  private let prior: GroupPrior
  private let table: LikelihoodTable
  /// Both sides of a structure are one class: their places tell them apart.
  private let classes: SideMerge
  private let spacing: Double
  private let atlasGrid: Grid
  /// Whether labels beside the structures of interest frame them, as skull and skin do. Else background must weigh as
  /// much as these: each would shrink to have less of what counts outside it.
  private let isFramed: Bool

  /// Voxels that labels are compared at, mm.
  private static let voxel = 2.0
  /// Nodes begin as far apart as this, mm: what is large is aligned first.
  private static let coarsest = 16.0
  /// Where they end in the first round, whose prior is still blurred, and in later ones, mm.
  private static let (firstSpacing, laterSpacing) = (12.0, 8.0)
  /// Weights of the penalty, as `WarpFit` has them.
  private static let (stretch, bend) = (0.005, 0.5)
  /// What a voxel counts, of independent information: neighbours mostly have the same label.
  private static let weight = 0.2
  private static let mostSteps = 8
  /// Gain of a step, in nats a voxel, below which it is the last.
  private static let leastGain = 1e-4
  /// Of background that only labels beside the structures of interest border on, one voxel of so many counts.
  private static let backgroundStep = 4
  /// Background further from anything labelled than this, mm, does not count where structures of interest border on it.
  private static let margin = 20.0

  /// Later rounds follow finer shapes.
  init(prior: LocationPrior, round: Int) {
    classes = SideMerge(prior.table)
    let factor = max(1, Int((Self.voxel / prior.grid.spacing.max()).rounded()))
    self.prior = GroupPrior(
      prior, factor: factor, groupOf: classes.channelOf, groups: classes.count)
    table = LikelihoodTable(classes: classes.count, lanes: self.prior.lanes)
    spacing = round == 0 ? Self.firstSpacing : Self.laterSpacing
    atlasGrid = prior.grid
    isFramed = zip(prior.table.labels, prior.table.isOfInterest).contains { $0.index != 0 && !$1 }
  }

  /// From positions in the atlas back to where the affine puts the map.
  func displacement(of map: ChannelMap, _ affine: Affine) -> Displacement {
    let samples = self.samples(of: map)
    // Positions in mm along the atlas's axes.
    let voxels = atlasGrid.affine.inverse * affine
    let base = samples.positions(voxels.scaled(by: atlasGrid.spacing))
    var displacement = Displacement(over: atlasGrid, spacing: Self.coarsest)
    for step in [Self.coarsest, spacing] {
      if step != Double(displacement.spacing) {
        displacement = displacement.resampled(over: atlasGrid, spacing: step)
      }
      var fit = WarpFit(displacement: displacement, stretch: Self.stretch, bend: Self.bend)
      let view = PriorView(prior: prior, atlas: atlasGrid)
      _ = fit.climb(
        most: Self.mostSteps, least: Self.leastGain * Double(samples.count), base: base,
        weight: Self.weight
      ) {
        view.logLikelihood(
          view.positions(base, displaced: $0), rows: samples.rows, table: table, gradients: &$1)
      }
      displacement = fit.displacement
    }
    return displacement.inverted()
  }

  /// Voxels of about 2 mm within the field of view.
  private func samples(of map: ChannelMap) -> ScanSamples {
    let grid = map.grid
    let step = max(1, Int((Self.voxel / grid.spacing.max()).rounded()))
    var world: [Float] = []
    var rows: [UInt16] = []
    var low = SIMD3<Int>(map.reach.map { max(0, $0.lowerBound) })
    var high = SIMD3<Int>(
      (0..<3).map { min(grid.extents[$0] - 1, map.reach[$0].upperBound) })
    if !isFramed, let labelled = map.labelled {
      for axis in 0..<3 {
        let margin = Int((Self.margin / grid.spacing[axis]).rounded(.up))
        low[axis] = max(low[axis], labelled[axis].lowerBound - margin)
        high[axis] = min(high[axis], labelled[axis].upperBound + margin)
      }
    }
    for z in stride(from: low.z, through: high.z, by: step) {
      for y in stride(from: low.y, through: high.y, by: step) {
        let start = grid.affine(SIMD3(0, Double(y), Double(z)))
        for x in stride(from: low.x, through: high.x, by: step) {
          let channel = map.channels[grid.index(x, y, z)]
          if isFramed, channel == 0,
            (x / step + y / step + z / step) % Self.backgroundStep != 0
          {
            continue
          }
          let at = start + grid.affine.columns.0 * Double(x)
          world += [Float(at.x), Float(at.y), Float(at.z)]
          rows.append(UInt16(classes.channelOf[Int(channel)]))
        }
      }
    }
    return ScanSamples(
      world: world, rows: rows, volume: grid.voxelVolume * Double(step * step * step))
  }
}
