import Foundation
import Imaging

/// Labels one plane of a scan at a time; planes are independent.
struct PlaneLabeller: Sendable {
  struct Result: Sendable {
    var best: [UInt8]
    var voxels: [Int]
    var soft: [Double]
    var posteriors: Posteriors.Plane
    /// Sum over the voxels that were looked at, nats.
    var entropy = (sum: 0.0, voxels: 0)
    /// nats, one a voxel where they were asked for.
    var entropies: [Float] = []

    func withoutLabels() -> Result {
      var result = self
      result.best = []
      return result
    }
  }

  /// Where the voxels lie.
  private(set) var placement: VoxelPlacement
  /// What labels them.
  var kernel: PosteriorKernel
  let fit: ScanFit
  let labelCount: Int
  let keepsEntropy: Bool
  /// What each label is put out as: surroundings become background in stripped scans.
  let output: [UInt8]
  private let isTarget: [Bool]

  /// `anatomies` are label priors on one grid, at least one.
  init(
    anatomies: [LocationPrior], fit: ScanFit, grid: Grid, isTarget: [Bool],
    usesIntensities: Bool, keepsEntropy: Bool = false
  ) {
    let prior = anatomies[0]
    placement = VoxelPlacement(fit, of: grid, in: prior.grid)
    kernel = PosteriorKernel(
      anatomies: anatomies,
      likelihood: LabelLikelihood(
        usesIntensities
          ? fit.model.table()
          : LikelihoodTable(groups: prior.table.groups.count, lanes: fit.model.lanes),
        columnOf: prior.table.groupOfLabel.map { UInt8($0) }))
    self.fit = fit
    labelCount = prior.table.count
    self.keepsEntropy = keepsEntropy
    self.isTarget = isTarget
    output = isTarget.indices.map { fit.kind == .whole || isTarget[$0] ? UInt8($0) : 0 }
  }

  var kind: ScanKind { fit.kind }
  var grid: Grid { placement.grid }
  /// Label priors; the posterior is the mean of what follows from each.
  var anatomies: [LocationPrior] { kernel.anatomies }

  /// The same for another grid, whose world is reached from the atlas's by the identity.
  func onAtlas(_ grid: Grid) -> PlaneLabeller {
    var result = self
    result.placement = placement.onAtlas(grid)
    return result
  }

  /// The same under one of its label priors alone.
  func under(anatomy: Int) -> PlaneLabeller {
    var result = self
    result.kernel.anatomies = [anatomies[anatomy]]
    return result
  }

  /// The same under label priors that lie where the affine alone brings the atlas.
  func under(still anatomies: [LocationPrior]) -> PlaneLabeller {
    var result = self
    (result.kernel.anatomies, result.placement) = (anatomies, placement.undisplaced)
    return result
  }
}

// MARK: - Planes

extension PlaneLabeller {
  /// Labels a plane along z, with posteriors in 1/`levels` where they are asked for.
  func run(plane z: Int, voxels: UnsafeBufferPointer<Float>, levels: Int?) -> Result {
    let width = grid.extents.x
    var placed = PlacedVoxels(count: width)
    var row = PosteriorKernel.Run(width: width, labels: labelCount)
    var result = Result(
      best: [UInt8](repeating: 0, count: voxels.count),
      voxels: [Int](repeating: 0, count: labelCount),
      soft: [Double](repeating: 0, count: labelCount), posteriors: Posteriors.Plane())
    for y in 0..<grid.extents.y {
      placement.place(x: 0..<width, y: y, z: z, voxels, from: y * width, into: &placed)
      kernel.compute(placed, posteriors: levels != nil || keepsEntropy, into: &row)
      for k in 0..<labelCount { result.soft[Int(output[k])] += Double(row.sums[k]) }
      if z % Self.entropyStep == 0, y % Self.entropyStep == 0 {
        addEntropy(placed, row.best, to: &result)
      }
      collect(row, y: y, levels: levels, into: &result)
    }
    return result
  }

  private func collect(
    _ row: PosteriorKernel.Run, y: Int, levels: Int?, into result: inout Result
  ) {
    var merged = [Float](repeating: 0, count: labelCount)
    for (x, best) in row.best.enumerated() {
      let label = output[Int(best)]
      result.best[y * row.best.count + x] = label
      result.voxels[Int(label)] += 1
      guard keepsEntropy || levels != nil else { continue }
      merge(row.posterior(x), into: &merged)
      if keepsEntropy { result.entropies.append(Self.entropy(merged)) }
      if let levels { result.posteriors.append(merged, levels: levels) }
    }
  }

  /// Probabilities of the labels that are put out.
  func merge(_ posterior: ArraySlice<Float>, into merged: inout [Float]) {
    for k in merged.indices { merged[k] = 0 }
    for (k, value) in posterior.enumerated() { merged[Int(output[k])] += value }
  }
}

// MARK: - Entropy

extension PlaneLabeller {
  /// Rows and planes from one whose entropy is looked at to the next.
  private static let entropyStep = 4

  /// Adds the entropy of the posterior that is put out where a row's most probable label is a structure of interest. The posterior
  /// is computed once more, so that what else comes of the row does not depend on it.
  private func addEntropy(_ row: PlacedVoxels, _ best: [UInt8], to result: inout Result) {
    let places = best.indices.filter { isTarget[Int(best[$0])] }
    guard !places.isEmpty else { return }
    var own = PosteriorKernel.Run(width: places.count, labels: labelCount)
    kernel.compute(row.chosen(places), posteriors: true, into: &own)
    var merged = [Float](repeating: 0, count: labelCount)
    for x in places.indices {
      merge(own.posterior(x), into: &merged)
      result.entropy.sum += Double(Self.entropy(merged))
    }
    result.entropy.voxels += places.count
  }

  /// -sum of p log p, nats, of the labels that are put out.
  static func entropy(_ probabilities: [Float]) -> Float {
    var entropy: Float = 0
    for p in probabilities where p > 1e-6 { entropy -= p * log(p) }
    return entropy
  }
}

// MARK: - Runs of voxels

extension PlaneLabeller {
  /// The label prior of a run of voxels under the first anatomy.
  func priors(x: Range<Int>, y: Int, z: Int, into run: inout PosteriorKernel.SparseRun) {
    kernel.prior(at: placement.positions(x: x, y: y, z: z), anatomy: 0, into: &run)
  }

  /// The posterior of a run of voxels of `scan`, which lies on this labeller's grid, under one anatomy.
  func posteriors(
    of scan: Volume<Float>, x: Range<Int>, y: Int, z: Int, anatomy: Int,
    into run: inout PosteriorKernel.SparseRun
  ) {
    kernel.posterior(
      of: placement.placed(scan, x: x, y: y, z: z), anatomy: anatomy, into: &run)
  }
}
