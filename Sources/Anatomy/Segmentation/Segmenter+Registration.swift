import Imaging

extension Segmenter {
  /// Brings a scan into the atlas, as a whole body part first, and as a stripped one where that turns out
  /// to be mostly zeros where flesh should be.
  func register(
    _ scan: Volume<Float>, scale: IntensityScale, trace: (String) -> Void
  ) -> (fit: AffineRegistration, kind: ScanKind, gainOfHalfTurn: Double?) {
    func level(_ mm: Double) -> Volume<Float> {
      Pyramid.averaged(scan, factors: Pyramid.factors(for: scan.grid, spacing: mm))
    }
    let coarsest = level(12)
    let (foreground, threshold) = Self.foreground(coarsest, scale: scale)
    let levels = (
      coarse: ScanSamples(coarsest, scale: scale), middle: ScanSamples(level(6), scale: scale),
      fine: ScanSamples(level(4), scale: scale)
    )
    func known(_ kind: ScanKind) -> KindPrior {
      KindPrior(
        kind, table: prior.table, isTarget: isTarget, lanes: coarse.mm4.lanes,
        dark: Int(scale.row(threshold)))
    }
    func find(_ kind: ScanKind) -> [AffineRegistration] {
      if let given = settings.transform {
        return [
          AffineRegistration(given, samples: levels.fine, prior: coarse.mm4, kind: known(kind))
        ]
      }
      return AffineRegistration.search(
        levels: levels, priors: (coarse.mm8, coarse.mm4), foreground: foreground,
        kind: known(kind))
    }
    let isSmall =
      Double(scan.voxels.count { $0 != 0 }) * scan.grid.voxelVolume < Self.largestStripped
    func isStripped(_ places: [AffineRegistration]) -> Bool {
      isSmall && zeroShareOfFlesh(places[0], levels.fine).map { $0 > 0.5 } ?? false
    }
    var kind: ScanKind = settings.stripped == true ? .stripped : .whole
    var found: [AffineRegistration]?
    if settings.stripped == nil, settings.transform == nil, isSmall {
      let starts = AffineRegistration.starts(
        levels.coarse, prior: coarse.mm8, foreground: foreground, kind: known(.whole))
      // What is stripped at 12 mm already is not looked at closer as a whole head.
      let stripped = isStripped(starts) ? find(.stripped) : nil
      if let stripped, isStripped(stripped) {
        (kind, found) = (.stripped, stripped)
      } else {
        found = AffineRegistration.settle(starts, levels: levels, prior: coarse.mm4)
      }
    }
    var places = found ?? find(kind)
    if settings.stripped == nil, kind == .whole, isStripped(places) {
      kind = .stripped
      places = find(kind)
    }
    if settings.transform == nil, kind == .whole {
      let near = level(4)
      places = places.map { closeUp($0, near, scale: scale, trace: trace) }
    }
    let fit = mostPlausible(places, of: levels.fine, trace: trace)
    trace("registered as \(kind.rawValue), scales \(fit.transform.columnNorms)")
    let gain =
      settings.transform == nil
      ? fit.gainOfHalfTurn(samples: levels.coarse, prior: coarse.mm8) : nil
    trace("gain of half a turn \(gain ?? 0)")
    return (fit, kind, gain)
  }

  /// The most plausible of some places by the whole scan: what lies around the brain depends on where each has it.
  private func mostPlausible(
    _ places: [AffineRegistration], of samples: ScanSamples, trace: (String) -> Void
  ) -> AffineRegistration {
    guard places.count > 1 else { return places[0] }
    let plausibilities = places.map {
      AffineRegistration($0.transform, samples: samples, prior: coarse.mm4, kind: $0.kind)
        .plausibility
    }
    trace("plausibilities of \(places.count) places: \(plausibilities)")
    let best = places.indices.max { plausibilities[$0] < plausibilities[$1] }
    return places[best ?? 0]
  }

  /// Refines a registration on the surroundings of the structures of interest alone: neck, jaw and the
  /// head's outline count for much in a search, and follow no affine of the brain.
  private func closeUp(
    _ fit: AffineRegistration, _ level: Volume<Float>, scale: IntensityScale,
    trace: (String) -> Void
  ) -> AffineRegistration {
    let region = InterestRegion(coarse.mm8, isTarget: isTargetGroup)
    var best = fit
    // Each round sees the region under what the one before has found.
    for _ in 0..<Self.mostLooks {
      let samples = ScanSamples(
        level, scale: scale, keep: region.selection(of: level.grid, under: best.transform))
      guard samples.count >= 500 else { return fit }
      var next = AffineRegistration(
        best.transform, samples: samples, prior: coarse.mm4, kind: fit.kind)
      next.refine(samples: samples, prior: coarse.mm4, freedom: .affine, iterations: 15)
      let moved = best.difference(from: next, over: region.grid)
      trace("looked closer, moved by \(moved) mm")
      best = next
      if moved < Self.settled { break }
    }
    return best
  }

  /// Rounds of `closeUp` at most, and what moves a corner by less than this, in mm, is the last one.
  private static let (mostLooks, settled) = (8, 1.0)

  /// Volume above which what is not zero is more than a brain with what sticks to it, mm3: stripped scans
  /// measured 1.1 to 2.2 litres, whole heads 3.5 and more.
  private static let largestStripped = 2.8e6

  /// Share of exact zeros where the atlas expects flesh in the upper half of its grid (below it, whole
  /// heads are padded, too); nil where the atlas has no such tissue.
  private func zeroShareOfFlesh(_ fit: AffineRegistration, _ samples: ScanSamples) -> Double? {
    let table = prior.table
    let groups = coarse.mm4
    let flesh = table.groups.indices.filter { group in
      table.labels.indices.contains {
        table.groupOfLabel[$0] == group && table.labels[$0].mapping == 5
      }
    }
    guard !flesh.isEmpty else { return nil }
    let positions = samples.positions(groups.grid.affine.inverse * fit.transform)
    let e = groups.grid.extents
    var (zeros, all) = (0.0, 0.0)
    for j in 0..<samples.count {
      let at = SIMD3<Float>(positions[3 * j], positions[3 * j + 1], positions[3 * j + 2]).rounded(
        .toNearestOrAwayFromZero)
      guard all3(at .>= 0), at.x < Float(e.x), at.y < Float(e.y), at.z < Float(e.z) else {
        continue
      }
      let world = groups.grid.affine(SIMD3<Double>(at))
      guard world.z > groups.grid.centre.z else { continue }
      let share = flesh.reduce(0.0) {
        $0 + Double(groups.value(Int(at.x), Int(at.y), Int(at.z), $1)) / 255
      }
      all += share
      if samples.rows[j] == IntensityScale.zero { zeros += share }
    }
    return all > 0 ? zeros / all : nil
  }

  /// World centre of what is brighter than half the mean of the voxels that are not zero, and that
  /// threshold. Intensities beyond the scale count as its end: a single hot voxel is no foreground.
  static func foreground(
    _ scan: Volume<Float>, scale: IntensityScale
  ) -> (centre: SIMD3<Double>, threshold: Float) {
    let used = scan.voxels.filter { $0 != 0 && $0.isFinite }
    let mean =
      used.reduce(0.0) { $0 + Double(max(scale.low, min(scale.high, $1))) }
      / Double(max(1, used.count))
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
}

/// Whether a comparison holds for all three components.
private func all3<Mask>(_ mask: SIMDMask<Mask>) -> Bool { all(mask) }
