import Imaging

/// Where a scan lies in the atlas.
struct ScanPlacement {
  let affine: AffineRegistration
  let kind: ScanKind
  /// Nil where the place was given.
  let gainOfHalfTurn: Double?
  /// The fit that begins there, where it was needed to tell this place from others.
  let start: StartedFit?
}

extension Segmenter {
  /// Brings a scan into the atlas, as a stripped one where a look at it as a whole body part finds zeros where flesh
  /// should be.
  func register(
    _ scan: Volume<Float>, scale: IntensityScale, trace: (String) -> Void
  ) -> ScanPlacement {
    func level(_ mm: Double) -> Volume<Float> {
      Pyramid.averaged(scan, factors: Pyramid.factors(for: scan.grid, spacing: mm))
    }
    let (coarsest, finest) = (level(12), level(4))
    let foreground = Foreground(of: coarsest, scale: scale)
    let levels = (
      coarse: ScanSamples(coarsest, scale: scale), middle: ScanSamples(level(6), scale: scale),
      fine: ScanSamples(finest, scale: scale)
    )
    func known(_ kind: ScanKind) -> KindPrior {
      KindPrior(
        kind, table: prior.table, isTarget: isTarget, lanes: coarse.mm4.lanes,
        // At least a row: in a scan of thin pieces no block shows anything.
        dark: max(1, Int(scale.row(foreground.threshold))))
    }
    func lookCloser(_ place: AffineRegistration) -> AffineRegistration {
      closeUp(place, finest, scale: scale, trace: trace)
    }
    func isStripped(_ place: AffineRegistration) -> Bool {
      let share = zeroShareOfFlesh(place, levels.fine)
      trace("share of zeros where flesh should be: \(share)")
      return share > Self.zerosOfStripped
    }
    let isSmall =
      Double(scan.voxels.count { $0 != 0 }) * scan.grid.voxelVolume < Self.largestStripped
    let asks = settings.stripped == nil && isSmall && prior.table.holdsFlesh.contains(true)
    var kind: ScanKind = settings.stripped == true ? .stripped : .whole
    let fit: AffineRegistration
    var start: StartedFit?
    if let given = settings.transform {
      func placed() -> AffineRegistration {
        AffineRegistration(given, samples: levels.fine, prior: coarse.mm4, kind: known(kind))
      }
      if asks, isStripped(placed()) { kind = .stripped }
      fit = placed()
    } else {
      var starts = AffineRegistration.starts(
        levels.coarse, prior: coarse.mm8, foreground: foreground, kind: known(kind))
      if asks {
        // Until it is looked at closely, a small head passes for a brain.
        let look = lookCloser(
          AffineRegistration.look(
            from: starts[0], kind: known(kind), levels: levels, prior: coarse.mm4))
        if isStripped(look) { (kind, starts) = (.stripped, [look.transform]) }
      }
      let places = AffineRegistration.settle(
        starts, kind: known(kind), levels: levels, prior: coarse.mm4)
      (fit, start) = mostPlausible(
        kind == .whole ? places.map(lookCloser) : places, of: levels.fine, in: scan, scale: scale,
        trace: trace)
    }
    trace("registered as \(kind.rawValue), scales \(fit.transform.columnNorms)")
    let gain =
      settings.transform == nil
      ? fit.gainOfHalfTurn(samples: levels.coarse, prior: coarse.mm8) : nil
    trace("gain of half a turn \(gain ?? 0)")
    return ScanPlacement(affine: fit, kind: kind, gainOfHalfTurn: gain, start: start)
  }

  /// The most plausible of some places by the whole scan: what lies around the brain depends on where each has it. Where
  /// others come near it, what the brain's surroundings tell of their tissues counts as well, and the fit that told it is
  /// returned, too.
  private func mostPlausible(
    _ places: [AffineRegistration], of fine: ScanSamples, in scan: Volume<Float>,
    scale: IntensityScale, trace: (String) -> Void
  ) -> (place: AffineRegistration, start: StartedFit?) {
    guard places.count > 1 else { return (places[0], nil) }
    let seen = places.map {
      AffineRegistration($0.transform, samples: fine, prior: coarse.mm4, kind: $0.kind)
    }
    let distinct = AffineRegistration.distinct(seen, over: region.grid)
    let least = seen[distinct[0]].plausibility - Self.rivalry
    let rivals = distinct.filter { seen[$0].plausibility >= least }
    guard rivals.count > 1 else { return (places[rivals[0]], nil) }
    var (best, highest) = ((place: places[rivals[0]], start: StartedFit?.none), -Double.infinity)
    for i in rivals {
      guard let samples = samples(of: scan, places[i], scale: scale) else { continue }
      let start = startFit(samples, places[i], scale: scale, trace: trace)
      let plausibility =
        seen[i].plausibility + start.fitter.information() - seen[i].sizePenalty
      trace("plausibility of one of \(rivals.count) places: \(plausibility)")
      if plausibility > highest { (best, highest) = ((places[i], start), plausibility) }
    }
    return best
  }

  /// Nats a sample by which a place may be less plausible than another and yet be the right one. With an inverted T2
  /// head the right one was by 0.03, and its surroundings told 0.08 more.
  private static let rivalry = 0.1

  /// Refines a registration on the surroundings of the structures of interest alone: neck, jaw and the
  /// head's outline count for much in a search, and follow no affine of the brain.
  private func closeUp(
    _ fit: AffineRegistration, _ level: Volume<Float>, scale: IntensityScale,
    trace: (String) -> Void
  ) -> AffineRegistration {
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
  private static let largestStripped = 3.2e6

  /// Share of zeros where the atlas has flesh above which tissue was set to zero: whole heads measured 0.1 at most,
  /// stripped ones 0.6 and more.
  private static let zerosOfStripped = 0.4

  /// Share of exact zeros where the atlas expects flesh in the upper half of its grid (below it, whole
  /// heads are padded, too).
  private func zeroShareOfFlesh(_ fit: AffineRegistration, _ samples: ScanSamples) -> Double {
    let groups = coarse.mm4
    let holdsFlesh = prior.table.holdsFlesh
    let flesh = holdsFlesh.indices.filter { holdsFlesh[$0] }
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
    return all > 0 ? zeros / all : 0
  }
}

/// Whether a comparison holds for all three components.
private func all3<Mask>(_ mask: SIMDMask<Mask>) -> Bool { all(mask) }
