import Foundation
import Imaging

/// Everything that is estimated from a scan: where it lies in the atlas, what its tissues look like, how
/// its anatomy differs.
package struct ScanFit: Sendable {
  /// Scan world mm to atlas world mm.
  package var transform: Affine
  package var displacement: Displacement
  package var bias: BiasField
  package var model: IntensityModel
  package var kind: ScanKind
  package var quality: SegmentationQuality
}

extension Segmenter {
  /// Fits a scan whose axes run closest to R, A and S.
  func fit(
    _ scan: Volume<Float>, path: String, progress: (Stage) -> Void, trace: (String) -> Void
  ) throws -> ScanFit {
    guard let scale = IntensityScale(scan.voxels) else {
      throw AnatomyError.noContrast(path: path)
    }
    progress(.registration)
    let (affine, kind) = register(scan, scale: scale, trace: trace)
    progress(.intensities)

    // Blocks of about 2 mm around the structures of interest.
    let blocks = Pyramid.averaged(scan, factors: Pyramid.factors(for: scan.grid, spacing: 2))
    let region = InterestRegion(coarse.mm8, isTarget: isTargetGroup)
    let toRegion = region.grid.affine.inverse * affine.transform * blocks.grid.affine
    let e = blocks.grid.extents
    var samples = ScanSamples(blocks, scale: scale) { voxel in
      region.contains(
        toRegion(SIMD3(Double(voxel % e.x), Double(voxel / e.x % e.y), Double(voxel / (e.x * e.y)))))
    }
    guard samples.count >= 1000 else {
      throw AnatomyError.hopelessFit(
        path: path, reason: "the structures of interest lie outside its field of view")
    }
    let toAtlas = (prior.grid.affine.inverse * affine.transform).scaled(by: prior.grid.spacing)
    let base = samples.positions(toAtlas)
    let view = PriorView(prior: coarse.mm2, atlas: prior.grid)
    var positions = view.kernelPositions(base)
    let start = coarse.mm2.histogram(
      positions: positions, rows: samples.rows, table: affine.table)
    var model = IntensityModel(
      histogram: start.counts, lanes: coarse.mm2.lanes,
      components: isTargetGroup.map { $0 ? 1 : 3 }, scale: scale)
    var table = model.table()
    var bias = BiasField(over: prior.grid)
    var displacement = Displacement(over: prior.grid, spacing: 20)
    let fitsBias = settings.fitsBias && scale.low == 0

    func estimate(rounds: Int) {
      for _ in 0..<rounds {
        let counts = coarse.mm2.histogram(
          positions: positions, rows: samples.rows, table: table
        ).counts
        model.update(histogram: counts)
        table = model.table()
      }
    }
    func estimateBias() {
      guard fitsBias else { return }
      let (weights, residuals) = biasEvidence(
        model, table: table, positions: positions, samples: samples)
      bias.fit(
        positions: base, residuals: zip(residuals, bias.logarithms(base)).map { $0 + $1 },
        weights: weights, volume: samples.volume)
      samples.correct(bias.logarithms(base), scale: scale)
    }
    estimate(rounds: 6)
    for _ in 0..<2 {
      estimateBias()
      estimate(rounds: 3)
    }
    trace("intensities; bias up to \(bias.strongest)")

    progress(.warp)
    if settings.fitsWarp {
      for (spacing, rounds) in [(20.0, 4), (10.0, 5), (6.0, 6)] {
        displacement = displacement.resampled(over: prior.grid, spacing: spacing)
        for round in 0..<rounds {
          var warp = WarpFit(displacement: displacement, stretch: 0.005, bend: 0.7)
          var gain = 0.0
          for _ in 0..<2 {
            gain += warp.step(base: base, weight: 0.3 * samples.volume / 8) {
              view.logLikelihood($0, rows: samples.rows, table: table, gradients: &$1)
            }
          }
          displacement = warp.displacement
          positions = view.kernelPositions(displacement.displaced(base))
          if round == 1 { estimateBias() }
          estimate(rounds: 2)
          if gain < 1e-4 * Double(samples.count) { break }
        }
        trace("warp at \(spacing) mm, up to \(displacement.largest) mm")
      }
    }
    return ScanFit(
      transform: affine.transform, displacement: displacement, bias: bias, model: model, kind: kind,
      quality: SegmentationQuality(
        information: information(positions, samples, table),
        tissueInformation: tissueInformation(positions, samples, table),
        outsideView: outsideView(scan, affine.transform),
        largestDisplacement: Double(displacement.largest)))
  }

  /// Weight and residual of each sample for the bias field.
  private func biasEvidence(
    _ model: IntensityModel, table: LikelihoodTable, positions: [Float], samples: ScanSamples
  ) -> (weights: [Float], residuals: [Float]) {
    let tables = model.biasTables(isKnown: isTargetGroup)
    let groups = coarse.mm2
    let all = groups.logLikelihoods(positions: positions, rows: samples.rows, table: table)
    let weighted = groups.logLikelihoods(
      positions: positions, rows: samples.rows, table: tables.weight)
    let shifted = groups.logLikelihoods(
      positions: positions, rows: samples.rows, table: tables.residual)
    var weights = [Float](repeating: 0, count: all.count)
    var residuals = [Float](repeating: 0, count: all.count)
    for j in all.indices where samples.rows[j] != IntensityScale.zero {
      weights[j] = exp(weighted[j] - all[j])
      residuals[j] = exp(shifted[j] - weighted[j]) - 2
    }
    return (weights, residuals)
  }

  /// Mean gain in log-likelihood over the group's shares alone, without any place: mutual information.
  private func information(
    _ positions: [Float], _ samples: ScanSamples, _ table: LikelihoodTable
  ) -> Double {
    let (counts, sum) = coarse.mm2.histogram(
      positions: positions, rows: samples.rows, table: table)
    let lanes = coarse.mm2.lanes
    var shares = [Double](repeating: 0, count: lanes)
    for (i, count) in counts.enumerated() { shares[i % lanes] += count }
    let total = shares.reduce(0, +)
    guard total > 0 else { return 0 }
    var without = 0.0
    for row in 0..<IntensityScale.rows {
      let here = counts[row * lanes..<(row + 1) * lanes].reduce(0, +)
      guard here > 0 else { continue }
      var density = 0.0
      for group in 0..<coarse.mm2.groups {
        density += shares[group] / total * Double(table.values[row * lanes + group])
      }
      without += here * log(max(density, 1e-37))
    }
    return (sum - without) / Double(samples.count)
  }

  /// The same among voxels that are neither exactly zero nor missing: a mask that was cut out of a scan
  /// fits the atlas whatever is left inside it.
  private func tissueInformation(
    _ positions: [Float], _ samples: ScanSamples, _ table: LikelihoodTable
  ) -> Double {
    let groups = coarse.mm2
    let (zero, missing) = (Int(IntensityScale.zero), Int(IntensityScale.missing))
    let counts = groups.histogram(positions: positions, rows: samples.rows, table: table).counts
    var shares = [Double](repeating: 0, count: groups.groups)
    for row in 0..<IntensityScale.rows where row != zero && row != missing {
      for group in shares.indices { shares[group] += counts[row * groups.lanes + group] }
    }
    let total = shares.reduce(0, +)
    guard total >= 1 else { return 0 }
    // log p(x | x other than 0), without any place.
    let without = (0..<IntensityScale.rows).map { row in
      log(
        max(
          1e-37,
          shares.indices.reduce(0.0) { sum, group in
            let padded = Double(table.values[zero * groups.lanes + group])
            let density = Double(table.values[row * groups.lanes + group])
            return sum + shares[group] / total * density / max(1e-4, 1 - padded)
          }))
    }
    let here = groups.logLikelihoods(positions: positions, rows: samples.rows, table: table)
    let padding = groups.logLikelihoods(
      positions: positions, rows: [UInt16](repeating: IntensityScale.zero, count: samples.count),
      table: table)
    var (sum, count) = (0.0, 0)
    for (j, row) in samples.rows.enumerated() where Int(row) != zero && Int(row) != missing {
      sum += Double(here[j]) - log(max(1e-4, 1 - exp(Double(padding[j])))) - without[Int(row)]
      count += 1
    }
    return count > 0 ? sum / Double(count) : 0
  }

  /// Share of the prior's structures of interest that the scan's field of view misses.
  private func outsideView(_ scan: Volume<Float>, _ transform: Affine) -> Double {
    let grid = coarse.mm8.grid
    let toScan = scan.grid.affine.inverse * transform.inverse * grid.affine
    let most = SIMD3<Double>(scan.grid.extents) - SIMD3(repeating: 0.5)
    var (outside, all) = (0.0, 0.0)
    for z in 0..<grid.extents.z {
      for y in 0..<grid.extents.y {
        for x in 0..<grid.extents.x {
          var mass = 0.0
          for group in isTargetGroup.indices where isTargetGroup[group] {
            mass += Double(coarse.mm8.value(x, y, z, group))
          }
          if mass == 0 { continue }
          let at = toScan(SIMD3(Double(x), Double(y), Double(z)))
          all += mass
          if any(at .< SIMD3(repeating: -0.5)) || any(at .> most) { outside += mass }
        }
      }
    }
    return all > 0 ? outside / all : 0
  }
}
