import CKernels
import Imaging

/// Posterior probabilities of labels at voxels that have been placed in the atlas.
struct PosteriorKernel: Sendable {
  /// Label priors on one grid, at least one; the posterior is the mean of what follows from each.
  var anatomies: [LocationPrior]
  var likelihood: LabelLikelihood

  /// Chance of any label anywhere.
  private static let alpha: Float = 1e-6
  /// Chance of background at voxels that are exactly zero: padding lies where it was put.
  private static let paddingAlpha: Float = 0.05
  /// Sparse probabilities below are no more than the chance of any label anywhere.
  private static let least: Float = 1e-5

  /// What comes of a run of voxels.
  struct Run {
    /// The most probable label, one a voxel.
    fileprivate(set) var best: [UInt8]
    /// Voxels x labels; in any state where they are not asked for.
    fileprivate(set) var posteriors: [Float]
    /// The sum over voxels, one a label.
    fileprivate(set) var sums: [Float]

    init(width: Int, labels: Int) {
      best = [UInt8](repeating: 0, count: width)
      posteriors = [Float](repeating: 0, count: width * labels)
      sums = [Float](repeating: 0, count: labels)
    }

    func posterior(_ voxel: Int) -> ArraySlice<Float> {
      posteriors[voxel * sums.count..<(voxel + 1) * sums.count]
    }
  }

  /// The posterior of as many voxels as `run` is for. Labels and sums are the same whether posteriors are asked for or
  /// not.
  func compute(_ voxels: PlacedVoxels, posteriors isAsked: Bool, into run: inout Run) {
    for k in run.sums.indices { run.sums[k] = 0 }
    guard anatomies.count > 1 else {
      if isAsked {
        compute(voxels, anatomies[0], posteriors: true, into: &run)
        for k in run.sums.indices { run.sums[k] = 0 }
      }
      return compute(voxels, anatomies[0], posteriors: false, into: &run)
    }
    let share = 1 / Float(anatomies.count)
    var one = Run(width: voxels.count, labels: run.sums.count)
    for i in run.posteriors.indices { run.posteriors[i] = 0 }
    for anatomy in anatomies {
      compute(voxels, anatomy, posteriors: true, into: &one)
      for i in one.posteriors.indices { run.posteriors[i] += share * one.posteriors[i] }
    }
    for k in run.sums.indices { run.sums[k] = share * one.sums[k] }
    for voxel in 0..<voxels.count {
      let posterior = run.posterior(voxel)
      var most = posterior.startIndex
      for k in posterior.indices.dropFirst() where posterior[k] > posterior[most] { most = k }
      run.best[voxel] = UInt8(most - posterior.startIndex)
    }
  }

  /// The same under one label prior; sums are added to.
  private func compute(
    _ voxels: PlacedVoxels, _ anatomy: LocationPrior, posteriors isAsked: Bool, into run: inout Run
  ) {
    anatomy.withKernelPrior { prior in
      likelihood.withKernelLikelihood { likelihood in
        if isAsked {
          segpipe_label_posterior(
            prior, voxels.positions, voxels.rows, voxels.count, likelihood, Self.alpha,
            Self.paddingAlpha, &run.best, &run.posteriors, &run.sums)
        } else {
          segpipe_label_posterior(
            prior, voxels.positions, voxels.rows, voxels.count, likelihood, Self.alpha,
            Self.paddingAlpha, &run.best, nil, &run.sums)
        }
      }
    }
  }
}

// MARK: - Sparse

extension PosteriorKernel {
  /// Probabilities of a run of voxels, of labels that are possible.
  struct SparseRun {
    /// Number of labels of each voxel.
    fileprivate(set) var counts: [UInt8]
    /// Labels of the voxels, one voxel after another, ascending.
    fileprivate(set) var labels: [UInt8]
    /// Their probabilities.
    var values: [Float]

    /// For up to `width` voxels.
    init(width: Int, labels count: Int) {
      counts = [UInt8](repeating: 0, count: width)
      labels = [UInt8](repeating: 0, count: width * count)
      values = [Float](repeating: 0, count: width * count)
    }
  }

  /// One label prior at positions in voxels of the atlas, three a voxel.
  func prior(at positions: [Float], anatomy: Int, into run: inout SparseRun) {
    sparse(positions, nil, positions.count / 3, anatomy: anatomy, into: &run)
  }

  /// The posterior under one label prior.
  func posterior(of voxels: PlacedVoxels, anatomy: Int, into run: inout SparseRun) {
    voxels.rows.withUnsafeBufferPointer {
      sparse(voxels.positions, $0.baseAddress, voxels.count, anatomy: anatomy, into: &run)
    }
  }

  private func sparse(
    _ positions: [Float], _ rows: UnsafePointer<UInt16>?, _ count: Int, anatomy: Int,
    into run: inout SparseRun
  ) {
    anatomies[anatomy].withKernelPrior { prior in
      likelihood.withKernelLikelihood { likelihood in
        _ = segpipe_sparse_posterior(
          prior, positions, rows, count, likelihood, Self.paddingAlpha, Self.least, &run.counts,
          &run.labels, &run.values)
      }
    }
  }
}
