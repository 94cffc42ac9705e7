import Imaging
import Parallel

extension Segmenter {
  struct Labelled {
    var labels: [Int32]
    var volumes: [StructureVolume]
    var posteriors: Posteriors?
    /// nats, over the scan's voxels, where it was asked for.
    var entropy: [Float]?
    /// nats.
    var meanEntropy: Double
  }

  /// Posterior at every voxel of the scan's own grid: the label prior interpolated there, the likelihood of
  /// the scan's own intensities, and its argmax.
  ///
  /// - Throws: `NetworkError`.
  func label(_ scan: Volume<Float>, _ fit: ScanFit) throws -> Labelled {
    let grid = scan.grid
    let plane = grid.extents.x * grid.extents.y
    let values = prior.table.labels.map(\.index)
    let first = labeller(of: scan, fit)
    let kernel = try inContext(first, scan, fit)
    let levels = settings.posteriorLevels
    let count = prior.table.count
    var found = [UInt8](repeating: 0, count: grid.count)
    var planes: [PlaneLabeller.Result] = found.withUnsafeMutableBufferPointer { buffer in
      scan.voxels.withUnsafeBufferPointer { source in
        nonisolated(unsafe) let (out, voxels) = (buffer, source)
        return Parallel.map(grid.extents.z) { z in
          let row = UnsafeBufferPointer(rebasing: voxels[z * plane..<(z + 1) * plane])
          let result = kernel.run(plane: z, voxels: row, levels: levels)
          for i in 0..<plane { out[z * plane + i] = result.best[i] }
          return result.withoutLabels()
        }
      }
    }
    if settings.usesIntensities, settings.givesMixedVoxels {
      giveMixedVoxels(of: scan, &found, &planes, by: kernel, levels: levels)
    }
    let labels = found.map { values[Int($0)] }
    var volumes = [StructureVolume](
      repeating: StructureVolume(voxels: 0, hard: 0, soft: 0), count: count)
    for plane in planes {
      for label in 0..<count {
        volumes[label].voxels += plane.voxels[label]
        volumes[label].soft += plane.soft[label]
      }
    }
    for label in 0..<count {
      volumes[label].hard = Double(volumes[label].voxels) * grid.voxelVolume
      volumes[label].soft *= grid.voxelVolume
    }
    let judged = planes.reduce(0) { $0 + $1.entropy.voxels }
    return Labelled(
      labels: labels, volumes: volumes,
      posteriors: levels.map {
        Posteriors(grid: grid, levels: $0, labels: count, planes: planes.map(\.posteriors))
      }, entropy: settings.keepsEntropy ? planes.flatMap(\.entropies) : nil,
      meanEntropy: planes.reduce(0) { $0 + $1.entropy.sum } / Double(max(1, judged)))
  }
}

extension Segmenter {
  /// Gives voxels between fluid and white matter to one of them: labels, sums and posteriors alike.
  private func giveMixedVoxels(
    of scan: Volume<Float>, _ labels: inout [UInt8], _ planes: inout [PlaneLabeller.Result],
    by kernel: PlaneLabeller, levels: Int?
  ) {
    let extents = scan.grid.extents
    let changes = labels.withUnsafeBufferPointer { labels in
      scan.voxels.withUnsafeBufferPointer { voxels in
        nonisolated(unsafe) let (labels, voxels) = (labels, voxels)
        return Parallel.map(extents.z) {
          mixed.changes(plane: $0, of: scan.grid, labels: labels, intensities: voxels)
        }
      }
    }
    planes = Parallel.map(extents.z) { [planes] z in
      changes[z].isEmpty
        ? planes[z]
        : kernel.giving(changes[z], in: planes[z], of: scan, mixed: mixed, levels: levels)
    }
    for change in changes.joined() { labels[change.voxel] = change.label }
  }

  private func anatomies(of fit: ScanFit) -> [LocationPrior] {
    fit.anatomies.isEmpty ? [prior] : fit.anatomies
  }

  /// What labels the voxels of a scan, each by itself.
  private func labeller(of scan: Volume<Float>, _ fit: ScanFit) -> PlaneLabeller {
    let plain = PlaneLabeller(
      anatomies: anatomies(of: fit), fit: fit, grid: scan.grid, isTarget: isTarget,
      usesIntensities: settings.usesIntensities, keepsEntropy: settings.keepsEntropy)
    return settings.usesIntensities ? plain.bordered(by: borders, on: scan) : plain
  }

  /// The same under label priors that know of each voxel's surroundings, where that has been learned.
  private func inContext(
    _ labeller: PlaneLabeller, _ scan: Volume<Float>, _ fit: ScanFit
  ) throws -> PlaneLabeller {
    guard settings.usesContext, settings.usesIntensities, let context = learned.contextReader
    else { return labeller }
    let onAtlas = fit.onAtlas ?? ScanAnatomy.onAtlas(scan, fit.transform, prior.grid)
    return labeller.under(
      still: try context.priors(of: onAtlas, by: labeller, anatomies: anatomies(of: fit)))
  }

  /// Fits a scan that lies on the atlas grid, for what a `ContextNetwork` sees of it.
  ///
  /// - Throws: as `segment`.
  func contextView(of scan: Volume<Float>, merge: SideMerge) throws -> ContextView {
    let prepared = PreparedScan(scan)
    let fit = try fit(prepared, path: "a drawn scan", progress: { _ in }, trace: { _ in })
    return ContextView(
      scan, by: labeller(of: prepared.volume, fit).onAtlas(scan.grid), merge: merge)
  }
}
