import CKernels
import Foundation
import Imaging
import Parallel

/// Segments scans of any contrast by a location prior: affine, intensity model, warp, posterior.
package struct Segmenter: Sendable {
  package struct Settings: Sendable {
    /// Whether the scan holds the brain alone; nil decides by the likelihood.
    package var stripped: Bool?
    package var warps = true
    package var correctsBias = true
    package init() {}
  }

  let prior: LocationPrior
  let settings: Settings
  let isTarget: [Bool]

  package init(prior: LocationPrior, settings: Settings = Settings()) {
    self.prior = prior
    self.settings = settings
    // Background, bone, soft tissue and other extra-cerebral labels frame the structures of interest.
    isTarget = prior.table.labels.map { ![0, 4, 5, 6].contains($0.mapping ?? 1) && $0.index != 0 }
  }

  package struct Fit: Sendable {
    package var transform: Affine
    package var displacement: Displacement
    package var model: IntensityModel
    /// Mean log-likelihood of a sample at the affine's finest level, nats.
    package var affineScore: Double
  }

  /// Registration and intensity model of a scan whose axes are closest to R, A and S.
  package func fit(_ scan: Volume<Float>, path: String, trace: (String) -> Void = { _ in }) throws
    -> Fit
  {
    guard let scale = IntensityScale(scan.voxels) else {
      throw AnatomyError.noContrast(path: path)
    }
    let clock = ContinuousClock()
    var last = clock.now
    func mark(_ text: String) {
      let now = clock.now
      trace("\(text) [\((now - last).formatted(.units(allowed: [.milliseconds])))]")
      last = now
    }
    func level(_ mm: Double) -> Volume<Float> {
      Pyramid.averaged(scan, factors: Pyramid.factors(for: scan.grid, spacing: mm))
    }
    let factor = 1 / prior.grid.spacing.max()
    func coarse(_ mm: Double) -> GroupPrior {
      GroupPrior(prior, factor: max(1, Int((mm * factor).rounded())))
    }
    let (prior8, prior4, prior2) = (coarse(8), coarse(4), coarse(2))
    mark("priors")
    let scan12 = level(12)
    let (foreground, threshold) = Self.foreground(scan12)
    let levels = (
      ScanSamples(scan12, scale: scale), ScanSamples(level(6), scale: scale),
      ScanSamples(level(4), scale: scale)
    )
    let zeros = scan12.voxels.count { $0 == 0 }
    func find(_ kind: ScanKind) -> AffineRegistration {
      let known = KindPrior(
        kind, table: prior.table, isTarget: isTarget, lanes: prior4.lanes,
        dark: Int(scale.row(threshold)))
      return AffineRegistration.search(
        levels: levels, priors: (prior8, prior4), foreground: foreground, kind: known)
    }
    var kind: ScanKind = settings.stripped == true ? .stripped : .whole
    var affine = find(kind)
    if settings.stripped == nil,
      Double(scan.voxels.count { $0 != 0 }) * scan.grid.voxelVolume < 2.8e6,
      let share = zeroShareOfFlesh(affine, levels.2, prior4), share > 0.5
    {
      kind = .stripped
      affine = find(kind)
    }
    mark("affine score \(affine.score) scales \(affine.transform.columnNorms)")
    mark("kind \(kind)")

    // Samples of the surroundings of the structures of interest, at about 2 mm.
    let region = InterestRegion(prior8, isTarget: groupsOfInterest)
    let scan2 = level(2)
    let voxelMap = prior.grid.affine.inverse * affine.transform * scan2.grid.affine
    let toRegion = region.grid.affine.inverse * affine.transform * scan2.grid.affine
    _ = voxelMap
    var samples = ScanSamples(scan2, scale: scale) { voxel in
      let e = scan2.grid.extents
      let at = toRegion(
        SIMD3(Double(voxel % e.x), Double(voxel / e.x % e.y), Double(voxel / (e.x * e.y))))
      return region.contains(at)
    }
    let toAtlas = (prior.grid.affine.inverse * affine.transform).scaled(by: prior.grid.spacing)
    let base = samples.positions(toAtlas)
    let view = PriorView(prior: prior2, atlas: prior.grid)
    mark("\(samples.count) samples")

    var positions = view.kernelPositions(base)
    let start = prior2.histogram(positions: positions, rows: samples.rows, table: affine.table)
    var model = IntensityModel(
      histogram: start.counts, lanes: prior2.lanes, components: components, scale: scale)
    var table = model.table()
    var displacement = Displacement(over: prior.grid, spacing: 20)
    var score = 0.0
    func estimate(rounds: Int) {
      for _ in 0..<rounds {
        let (counts, sum) = prior2.histogram(
          positions: positions, rows: samples.rows, table: table)
        model.update(histogram: counts)
        table = model.table()
        score = sum / Double(samples.count)
      }
    }
    estimate(rounds: 8)
    mark("EM \(score)")
    if settings.warps {
      for (spacing, rounds) in [(20.0, 4), (10.0, 5), (6.0, 6)] {
        displacement = displacement.resampled(over: prior.grid, spacing: spacing)
        for _ in 0..<rounds {
          var warp = WarpFit(
            displacement: displacement, stretch: Tuning.stretch, bend: Tuning.bend)
          var gain = 0.0
          for _ in 0..<2 {
            gain += warp.step(base: base, weight: Tuning.weight * samples.volume / 8) {
              view.logLikelihood($0, rows: samples.rows, table: table, gradients: &$1)
            }
          }
          displacement = warp.displacement
          positions = view.kernelPositions(displacement.displaced(base))
          estimate(rounds: 2)
          if gain < 1e-4 * Double(samples.count) { break }
        }
        mark("warp \(spacing) mm: \(score), largest \(displacement.largest)")
      }
    }
    return Fit(
      transform: affine.transform, displacement: displacement, model: model,
      affineScore: affine.score)
  }

  /// Share of exact zeros where the atlas expects the flesh over the upper half of the head, nil where
  /// the atlas has no such tissue.
  func zeroShareOfFlesh(
    _ fit: AffineRegistration, _ samples: ScanSamples, _ groups: GroupPrior
  ) -> Double? {
    let flesh = prior.table.groups.indices.filter { group in
      prior.table.labels.indices.contains {
        prior.table.groupOfLabel[$0] == group && prior.table.labels[$0].mapping == 5
      }
    }
    guard !flesh.isEmpty else { return nil }
    let toVoxel = groups.grid.affine.inverse * fit.transform
    let positions = samples.positions(toVoxel)
    let centre = groups.grid.centre
    let e = groups.grid.extents
    var (zeros, all) = (0.0, 0.0)
    for j in 0..<samples.count {
      let (x, y, z) = (positions[3 * j], positions[3 * j + 1], positions[3 * j + 2])
      let (i, k, l) = (Int(x.rounded()), Int(y.rounded()), Int(z.rounded()))
      guard i >= 0, k >= 0, l >= 0, i < e.x, k < e.y, l < e.z else { continue }
      let world = groups.grid.affine(SIMD3(Double(x), Double(y), Double(z)))
      guard world.z > centre.z else { continue }
      let share = flesh.reduce(0.0) { $0 + Double(groups.value(i, k, l, $1)) / 255 }
      all += share
      if samples.rows[j] == IntensityScale.zero { zeros += share }
    }
    return all > 0 ? zeros / all : nil
  }

  /// For each tissue group, whether any of its labels is of interest.
  var groupsOfInterest: [Bool] {
    var result = [Bool](repeating: false, count: prior.table.groups.count)
    for (label, group) in prior.table.groupOfLabel.enumerated() where isTarget[label] {
      result[group] = true
    }
    return result
  }

  /// Gaussians for each group: several for the mixed tissues around the structures of interest.
  var components: [Int] { groupsOfInterest.map { $0 ? 1 : 3 } }

  /// World centre of what is brighter than half the mean of the voxels that are not zero.
  static func foreground(_ scan: Volume<Float>) -> (centre: SIMD3<Double>, threshold: Float) {
    let used = scan.voxels.filter { $0 != 0 && $0.isFinite }
    let mean = used.reduce(0.0) { $0 + Double($1) } / Double(max(1, used.count))
    var (sum, count, voxel) = (SIMD3<Double>.zero, 0.0, 0)
    for z in 0..<scan.grid.extents.z {
      for y in 0..<scan.grid.extents.y {
        for x in 0..<scan.grid.extents.x {
          if Double(scan.voxels[voxel]) > mean / 2 {
            sum += SIMD3(Double(x), Double(y), Double(z))
            count += 1
          }
          voxel += 1
        }
      }
    }
    return (count > 0 ? scan.grid.affine(sum / count) : scan.grid.centre, Float(mean / 2))
  }

  /// The posterior's argmax on the scan's own grid.
  package func label(_ scan: Volume<Float>, _ fit: Fit) -> Volume<Int32> {
    let grid = scan.grid
    let toAtlas = (prior.grid.affine.inverse * fit.transform * grid.affine).scaled(
      by: prior.grid.spacing)
    let perMM = SIMD3<Float>(1 / prior.grid.spacing)
    let table = fit.model.table()
    let groupOf = prior.table.groupOfLabel.map { UInt8($0) }
    let values = prior.table.labels.map(\.index)
    let plane = grid.extents.x * grid.extents.y
    var result = [Int32](repeating: 0, count: grid.count)
    result.withUnsafeMutableBufferPointer { buffer in
      scan.voxels.withUnsafeBufferPointer { source in
        nonisolated(unsafe) let (out, voxels) = (buffer, source)
        Parallel.forEach(grid.extents.z) { z in
          var positions = [Float](repeating: 0, count: 3 * plane)
          var rows = [UInt16](repeating: 0, count: plane)
          var best = [UInt8](repeating: 0, count: plane)
          var j = 0
          for y in 0..<grid.extents.y {
            let start = toAtlas(SIMD3(0, Double(y), Double(z)))
            for x in 0..<grid.extents.x {
              let q = SIMD3<Float>(start + toAtlas.columns.0 * Double(x))
              let u = fit.displacement.at(q)
              let p = (q + SIMD3(u.x, u.y, u.z)) * perMM
              positions[3 * j] = p.x
              positions[3 * j + 1] = p.y
              positions[3 * j + 2] = p.z
              rows[j] = fit.model.scale.row(voxels[z * plane + j])
              j += 1
            }
          }
          _ = prior.withKernelPrior { kernel in
            table.values.withUnsafeBufferPointer { values in
              groupOf.withUnsafeBufferPointer { groups in
                segpipe_label_posterior(
                  kernel, positions, rows, plane, values.baseAddress, Int32(table.lanes),
                  groups.baseAddress, 1e-6, &best, nil)
              }
            }
          }
          for i in 0..<plane { out[z * plane + i] = values[Int(best[i])] }
        }
      }
    }
    return Volume(grid: grid, voxels: result)
  }
}

enum Tuning {
  static func value(_ name: String, _ fallback: Double) -> Double {
    ProcessInfo.processInfo.environment[name].flatMap(Double.init) ?? fallback
  }
  static let stretch = value("STRETCH", 0.02)
  static let bend = value("BEND", 0.5)
  static let weight = value("WEIGHT", 0.2)
}
