import Foundation
import Imaging
import Parallel

/// Segments scans of any contrast by a location prior: affine, intensity model, warp, posterior.
///
/// Group priors at coarse resolutions are made once, so one segmenter serves any number of scans.
package struct Segmenter: Sendable {
  package struct Settings: Sendable {
    /// Whether the scan holds the structures of interest alone; nil decides by the scan.
    package var stripped: Bool?
    package var fitsWarp = true
    package var fitsBias = true
    /// Whether intensities count; if not, the result is the prior where registration puts it.
    package var usesIntensities = true
    /// Whether z is read from the scan where there is a trained prior.
    package var usesLatent = true
    /// Form of the likelihood that z is refined by.
    package var likelihood = EncoderSettings.Likelihood.exact
    /// Steps by which z is refined on the scan.
    package var refinements = 3
    /// Anatomies drawn from q(z given the scan), over which posteriors are averaged; 1 takes its mean.
    package var samples = 1
    /// Of these draws.
    package var seed: UInt64 = 1
    /// Whether label priors are changed by the posteriors around each voxel, where a network has learned how.
    package var usesContext = true
    /// Whether voxels between fluid and white matter are given to one of them.
    package var givesMixedVoxels = true
    /// Whether the entropy of the posterior is kept at every voxel.
    package var keepsEntropy = false
    /// What a posterior probability of 1 is kept as (255 or 65535); nil keeps none.
    package var posteriorLevels: Int?
    /// Scan world mm to atlas world mm, where it is known: nothing is registered then.
    package var transform: Affine?
    package init() {}
  }

  /// A step of the work and how much of the whole is done before it, for progress bars.
  package enum Stage: String, Sendable {
    case registration, intensities, warp, labels

    package var fraction: Double {
      switch self {
      case .registration: 0
      case .intensities: 0.35
      case .warp: 0.45
      case .labels: 0.8
      }
    }
  }

  let prior: LocationPrior
  let learned: Learned
  package var settings: Settings
  /// For each label, whether it is more than the surroundings of others.
  let isTarget: [Bool]
  /// The same for tissue groups: any label of it.
  let isTargetGroup: [Bool]
  let fluidGroups: FluidGroups
  let borders: FluidBorders
  let mixed: MixedVoxels
  let coarse: (mm8: GroupPrior, mm4: GroupPrior, mm2: GroupPrior)
  let region: InterestRegion

  /// - Throws: `AnatomyError.tooManyLabels` for more tissue groups than the kernels hold.
  package init(
    prior: LocationPrior, learned: Learned = .nothing, settings: Settings = Settings()
  ) throws {
    let groups = prior.table.groups.count
    guard groups <= GroupPrior.mostGroups else {
      throw AnatomyError.tooManyLabels(found: groups, most: GroupPrior.mostGroups)
    }
    self.prior = prior
    self.learned = learned
    self.settings = settings
    let isTarget = prior.table.isOfInterest
    var isTargetGroup = [Bool](repeating: false, count: groups)
    for (label, group) in prior.table.groupOfLabel.enumerated() where isTarget[label] {
      isTargetGroup[group] = true
    }
    self.isTarget = isTarget
    self.isTargetGroup = isTargetGroup
    let perMM = 1 / prior.grid.spacing.max()
    func averaged(_ mm: Double) -> GroupPrior {
      GroupPrior(prior, factor: max(1, Int((mm * perMM).rounded())))
    }
    coarse = (averaged(8), averaged(4), averaged(2))
    region = InterestRegion(coarse.mm8, isTarget: isTargetGroup)
    var tissues = [[BIDSTissue?]](repeating: [], count: groups)
    for (label, group) in prior.table.groupOfLabel.enumerated() {
      tissues[group].append(prior.table.labels[label].tissue)
    }
    let fluidGroups = FluidGroups(tissues: tissues, isTarget: isTargetGroup, prior: coarse.mm4)
    self.fluidGroups = fluidGroups
    let isFluid = prior.table.groupOfLabel.map { fluidGroups.fluid[$0] }
    borders = FluidBorders(
      prior, isFluid: isFluid, isTissue: isTarget.indices.map { isTarget[$0] && !isFluid[$0] })
    mixed = MixedVoxels(prior.table, isFluid: isFluid)
  }

  /// Segments one scan. The scan is let go of early: a caller that does not keep it saves its memory.
  ///
  /// The result depends on the scan's voxels and where they lie, not on the order of its axes, the number
  /// of threads, or anything else.
  ///
  /// - Throws: `AnatomyError.noContrast`, `AnatomyError.hopelessFit`.
  package func segment(
    _ scan: consuming Volume<Float>, path: String,
    progress: (Stage) -> Void = { _ in }, trace: (String) -> Void = { _ in }
  ) throws -> Segmentation {
    let prepared = PreparedScan(scan)
    let (order, padding) = (prepared.order, prepared.padding)
    if let words = padding.words { trace(words) }
    let fit = try fit(prepared, path: path, progress: progress, trace: trace)
    progress(.labels)
    let result = try label(prepared.volume, fit)
    trace("labels")
    let targets = zip(isTarget, result.volumes).filter { $0.0 }
    guard targets.contains(where: { $0.1.voxels > 0 }) else {
      throw AnatomyError.hopelessFit(path: path, reason: "no voxel belongs to any structure")
    }
    var quality = fit.quality
    quality.meanEntropy = result.meanEntropy
    return Segmentation(
      labels: order.undo(Volume(grid: order.target, voxels: result.labels)),
      posteriors: result.posteriors,
      entropy: result.entropy.map { order.undo(Volume(grid: order.target, voxels: $0)) },
      order: order, volumes: result.volumes,
      transform: fit.transform, kind: fit.kind, model: fit.model.shifted(by: padding.value),
      quality: quality)
  }
}
