import Foundation
import Imaging

/// The estimates of a scan's intensities and anatomy under way: expectation maximisation, bias field and
/// warp in turn, on one set of samples in the surroundings of the structures of interest.
struct ScanFitter {
  /// Scan world mm to mm along the atlas's axes.
  private let toAtlas: Affine
  private(set) var groups: GroupPrior
  private var view: PriorView
  private let atlasGrid: Grid
  private let scale: IntensityScale
  private let isKnown: [Bool]
  private let fitsBias: Bool
  /// Intensities that are kept from structures that seem to have shrunk.
  private(set) var fluid: FluidRows?
  private(set) var samples: ScanSamples
  /// Undisplaced positions, mm along the atlas's axes, and displaced ones as the kernels expect them.
  private var base: [Float]
  private(set) var positions: [Float]
  private(set) var model: IntensityModel
  private(set) var table: LikelihoodTable
  private(set) var bias: BiasField
  private(set) var displacement: Displacement

  /// How finely anatomy has been brought to where it lies, mm: spacing of the warp, at first what an affine leaves.
  private var detail = 25.0

  /// What a sample of 8 mm3 counts in a warp: neighbouring voxels are no independent witnesses.
  private static let weight = 0.3
  private static let stretch = 0.005
  private static let bend = 0.7

  /// Starts from the intensities of a registration, on a fixed set of the scan's voxels. `mayShrink`: whether what looks
  /// like fluid where tissue is expected is taken for fluid.
  init(
    _ segmenter: Segmenter, affine: AffineRegistration, samples: ScanSamples, scale: IntensityScale,
    mayShrink: Bool
  ) {
    atlasGrid = segmenter.prior.grid
    groups = segmenter.coarse.mm2
    view = PriorView(prior: groups, atlas: atlasGrid)
    toAtlas = (atlasGrid.affine.inverse * affine.transform).scaled(by: atlasGrid.spacing)
    self.samples = samples
    self.scale = scale
    isKnown = segmenter.isTargetGroup
    fitsBias = segmenter.settings.fitsBias && scale.startsAtZero
    base = samples.positions(toAtlas)
    displacement = Displacement(over: atlasGrid, spacing: 20)
    positions = view.positions(base, displaced: displacement)
    let start = groups.histogram(positions: positions, rows: samples.rows, table: affine.table)
    fluid = mayShrink ? FluidRows(start.counts, groups: segmenter.fluidGroups) : nil
    model = IntensityModel(
      histogram: fluid?.first(from: start.counts) ?? start.counts,
      components: isKnown.map { IntensityModel.components(isKnown: $0) }, scale: scale)
    table = model.table()
    bias = BiasField(over: atlasGrid)
    separateFluid(start.counts)
    table = model.table()
  }

  /// What the posteriors sum to.
  func posteriorHistogram() -> GroupHistogram {
    groups.histogram(positions: positions, rows: samples.rows, table: table).counts
  }

  /// Expectation maximisation of the intensity model.
  mutating func estimateIntensities(rounds: Int) {
    for round in 0..<rounds {
      let histogram = posteriorHistogram()
      if round == 0 { separateFluid(histogram) }
      model.update(histogram: fluid?.removed(from: histogram) ?? histogram)
      table = model.table()
    }
  }

  /// Estimates tissues anew in which fluid has been taken for tissue.
  private mutating func separateFluid(_ histogram: GroupHistogram) {
    guard var known = fluid else { return }
    let found = known.separate(histogram, scale: scale)
    fluid = known
    if !found.isEmpty { model.start(found, histogram: known.removed(from: histogram)) }
  }

  /// The bias field that the posteriors ask for, and by how much its logarithm changed at most.
  @discardableResult
  mutating func estimateBias() -> Float {
    guard fitsBias else { return 0 }
    let tables = model.biasTables(isKnown: isKnown)
    func likelihoods(_ table: LikelihoodTable) -> [Float] {
      groups.likelihoods(positions: positions, rows: samples.rows, table: table)
    }
    let (all, weighted, shifted) = (
      likelihoods(table), likelihoods(tables.weight), likelihoods(tables.residual)
    )
    var weights = [Float](repeating: 0, count: all.count)
    var residuals = bias.logarithms(base)
    for (j, row) in samples.rows.enumerated()
    where row != IntensityScale.zero && row != IntensityScale.missing {
      weights[j] = weighted[j] / all[j]
      residuals[j] += shifted[j] / weighted[j] - 2
    }
    let before = bias
    bias.fit(
      positions: base, residuals: residuals, weights: weights, volume: samples.volume,
      detail: detail)
    samples.correct(bias.logarithms(base), scale: scale)
    return bias.largestChange(from: before)
  }

  private var fit: WarpFit {
    WarpFit(displacement: displacement, stretch: Self.stretch, bend: Self.bend)
  }

  private var sampleWeight: Double { Self.weight * samples.volume / 8 }

  /// What a warp maximises, in nats: the likelihood of all samples less the displacement's energy.
  func objective() -> Double {
    let likelihood = groups.histogram(
      positions: positions, rows: samples.rows, table: table
    ).logLikelihood
    return sampleWeight * likelihood - fit.penalty
  }

  /// What the prior alone expects, as `posteriorHistogram`.
  func expectation() -> GroupHistogram {
    groups.histogram(
      positions: positions, rows: samples.rows,
      table: LikelihoodTable(groups: groups.groups, lanes: groups.lanes)
    ).counts
  }

  /// The warp on a lattice of the given spacing, in mm, with the intensities estimated anew as it goes.
  mutating func estimateWarp(spacing: Double, rounds: Int) {
    displacement = displacement.resampled(over: atlasGrid, spacing: spacing)
    detail = spacing
    for round in 0..<rounds {
      var warp = fit
      var last = displacement
      let gain = warp.climb(most: 2, base: base, weight: sampleWeight) {
        last = $0
        positions = view.positions(base, displaced: last)
        return view.logLikelihood(positions, rows: samples.rows, table: table, gradients: &$1)
      }
      displacement = warp.displacement
      if last.values != displacement.values { place() }
      if round % 2 == 1 { estimateBias() }
      estimateIntensities(rounds: 2)
      if gain < 1e-4 * Double(samples.count) { break }
    }
  }

  /// Goes on under another prior of the same labels, displaced as the one before.
  mutating func change(to groups: GroupPrior) {
    self.groups = groups
    view = PriorView(prior: groups, atlas: atlasGrid)
    place()
  }

  /// Goes on with other voxels of the same scan, under the same estimates.
  mutating func change(to samples: ScanSamples) {
    self.samples = samples
    base = samples.positions(toAtlas)
    place()
    self.samples.correct(bias.logarithms(base), scale: scale)
  }

  /// Brings the samples to where the displacement has them.
  private mutating func place() {
    positions = view.positions(base, displaced: displacement)
  }

  /// Mean gain in log-likelihood over the groups' shares alone, without any place, in nats a sample: the
  /// mutual information of place and intensity.
  func information() -> Double {
    let (counts, sum) = groups.histogram(
      positions: positions, rows: samples.rows, table: table)
    let rows = 0...IntensityScale.rows - 1
    let shares = (0..<groups.groups).map { counts.sum(of: $0, in: rows) }
    let total = shares.reduce(0, +)
    guard total > 0 else { return 0 }
    var without = 0.0
    for row in rows {
      let here = shares.indices.reduce(0) { $0 + counts[row, $1] }
      guard here > 0 else { continue }
      let density = shares.indices.reduce(0) { $0 + shares[$1] / total * Double(table[row, $1]) }
      without += here * log(max(density, 1e-37))
    }
    return (sum - without) / Double(samples.count)
  }
}
