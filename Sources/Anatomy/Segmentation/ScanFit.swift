import Imaging
import Networks

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
  /// Label priors of this scan where z has been found, one or as many as were drawn; else none, and the
  /// location prior applies.
  package var anatomies: [LocationPrior] = []
  /// The scan on the atlas grid as the affine brings it there, if z was read from it.
  var onAtlas: Volume<Float>?
}

/// Samples of a scan, and the intensities and bias field that were estimated from them under the location prior as the
/// affine places it.
struct StartedFit {
  let samples: ScanSamples
  let fitter: ScanFitter
}

/// Estimates under way, and the label priors that z has made for them.
private struct Course {
  var fitter: ScanFitter
  var anatomies: [LocationPrior] = []
}

extension Segmenter {
  /// Raised when the same scan is fitted otherwise: what was learned from fits is learned anew.
  package static let fitVersion = 2

  /// - Throws: as `segment`.
  func fit(
    _ prepared: PreparedScan, path: String, progress: (Stage) -> Void, trace: (String) -> Void
  ) throws -> ScanFit {
    try prepared.checkSize(path: path)
    let (scan, scale) = (prepared.volume, try prepared.scale(path: path))
    progress(.registration)
    let placement = register(scan, scale: scale, trace: trace)
    let affine = placement.affine

    progress(.intensities)
    let start = try start(placement, of: scan, scale: scale, path: path, trace: trace)

    progress(.warp)
    let onAtlas =
      settings.usesLatent && learned.prior != nil
      ? ScanAnatomy.onAtlas(scan, affine.transform, prior.grid) : nil
    var course = try follow(start.fitter, onAtlas, trace: trace)
    if settings.fitsWarp, let kept = course.fitter.fluid?.kept.keys, !kept.isEmpty {
      let whole = startFit(start.samples, affine, scale: scale, mayShrink: false, trace: trace)
      course = try believed(
        course, from: start.fitter, or: whole.fitter, shrunk: kept.sorted(), onAtlas, trace: trace)
    }
    var fitter = course.fitter
    let (information, tissueInformation) = (fitter.information(), fitter.tissueInformation())
    // Averages over blocks have narrower distributions than the voxels that are to be labelled.
    let everySecond = region.selection(of: scan.grid, under: affine.transform, step: 2)
    let voxels = ScanSamples(scan, scale: scale, keep: everySecond)
    if voxels.count >= Self.fewestSamples {
      fitter.change(to: voxels)
      fitter.estimateIntensities(rounds: 4)
    }
    return ScanFit(
      transform: affine.transform, displacement: fitter.displacement, bias: fitter.bias,
      model: fitter.model, kind: placement.kind,
      quality: SegmentationQuality(
        information: information, tissueInformation: tissueInformation,
        outsideView: outsideView(scan.grid, affine.transform),
        gainOfHalfTurn: placement.gainOfHalfTurn,
        largestDisplacement: Double(fitter.displacement.largest)), anatomies: course.anatomies,
      onAtlas: onAtlas)
  }

  /// Fits warp and z from a start. `onAtlas`: the scan on the atlas grid, for z to be read from; nil for no z.
  private func follow(
    _ start: ScanFitter, _ onAtlas: Volume<Float>?, trace: (String) -> Void
  ) throws -> Course {
    var course = Course(fitter: start)
    warp(&course.fitter, Self.coarseWarp, trace: trace)
    if let onAtlas, let learned = learned.prior {
      course.anatomies = try readAnatomy(learned, onAtlas, &course.fitter, trace: trace)
    }
    warp(&course.fitter, Self.fineWarp, trace: trace)
    return course
  }

  /// The course of a fit in which groups have shrunk, or, if that is not to be believed, the one from the other start, in
  /// which none has.
  private func believed(
    _ course: Course, from start: ScanFitter, or whole: ScanFitter, shrunk: [Int],
    _ onAtlas: Volume<Float>?, trace: (String) -> Void
  ) throws -> Course {
    let expected = start.expectation()
    func volumes(_ fitter: ScanFitter) -> [Double] {
      let found = fitter.posteriorHistogram()
      return shrunk.map { found.sum(of: $0) / max(1, expected.sum(of: $0)) }
    }
    let cost = whole.objective() - start.objective()
    let (smallest, largest) = (volumes(course.fitter).min() ?? 1, volumes(whole).max() ?? 1)
    trace("fluid in place of groups \(shrunk) costs \(cost) nats, leaves \(smallest) or \(largest)")
    if Shrinkage.isCertain(cost: cost, smallest: smallest, largestAtStart: largest) {
      return course
    }
    let other = try follow(whole, onAtlas, trace: trace)
    let shrinkage = Shrinkage(
      cost: cost, left: other.fitter.objective() - course.fitter.objective(), smallest: smallest,
      largestOtherwise: volumes(other.fitter).max() ?? 1)
    trace("\(shrinkage), is believed: \(shrinkage.isBelievable)")
    return shrinkage.isBelievable ? course : other
  }

  /// Blocks of 2 mm around the structures of interest; nil where there are too few to estimate anything.
  func samples(
    of scan: Volume<Float>, _ affine: AffineRegistration, scale: IntensityScale
  ) -> ScanSamples? {
    let samples = regionSamples(of: scan, affine, scale: scale)
    return samples.count >= Self.fewestSamples ? samples : nil
  }

  private func regionSamples(
    of scan: Volume<Float>, _ affine: AffineRegistration, scale: IntensityScale
  ) -> ScanSamples {
    let blocks = Pyramid.averaged(scan, factors: Pyramid.factors(for: scan.grid, spacing: 2))
    return ScanSamples(
      blocks, scale: scale, keep: region.selection(of: blocks.grid, under: affine.transform))
  }

  private func seenSamples(
    of scan: Volume<Float>, _ affine: AffineRegistration, scale: IntensityScale, path: String
  ) throws -> ScanSamples {
    let samples = regionSamples(of: scan, affine, scale: scale)
    guard samples.count < Self.fewestSamples else { return samples }
    let most = mostSamples(of: scan.grid)
    let isSmall = most < Self.fewestSamples
    guard !isSmall, outsideView(scan.grid, affine.transform) > Self.mostOutside else {
      throw AnatomyError.tooFewSamples(
        path: path, found: isSmall ? most : samples.count, needed: Self.fewestSamples)
    }
    throw AnatomyError.hopelessFit(
      path: path, reason: "the structures of interest lie outside its field of view")
  }

  /// Throws `AnatomyError.tooFewSamples` where the atlas is too small for scans that are drawn on its own grid.
  func checkSize() throws {
    let found = mostSamples(of: prior.grid)
    guard found >= Self.fewestSamples else {
      throw AnatomyError.tooFewSamples(
        path: "the atlas", found: found, needed: Self.fewestSamples)
    }
  }

  /// The fit that begins at a place, the one that was needed to find it if there is one.
  private func start(
    _ placement: ScanPlacement, of scan: Volume<Float>, scale: IntensityScale, path: String,
    trace: (String) -> Void
  ) throws -> StartedFit {
    if let start = placement.start { return start }
    let samples = try seenSamples(of: scan, placement.affine, scale: scale, path: path)
    return startFit(samples, placement.affine, scale: scale, trace: trace)
  }

  /// Intensities and bias field under the location prior as the affine places it.
  func startFit(
    _ samples: ScanSamples, _ affine: AffineRegistration, scale: IntensityScale,
    mayShrink: Bool = true, trace: (String) -> Void
  ) -> StartedFit {
    var fitter = ScanFitter(
      self, affine: affine, samples: samples, scale: scale, mayShrink: mayShrink)
    fitter.estimateIntensities(rounds: 6)
    // A strong field and the tissues under it come out a step at a time.
    for _ in 0..<Self.biasRounds {
      let change = fitter.estimateBias()
      fitter.estimateIntensities(rounds: 3)
      if change < Self.settledBias { break }
    }
    trace("intensities of \(samples.count) blocks, bias up to \(fitter.bias.strongest)")
    return StartedFit(samples: samples, fitter: fitter)
  }

  /// What the learned prior sees of a scan, without anything learned: affine, intensities, bias field and
  /// a coarse warp, which is only there to find these.
  ///
  /// - Throws: as `segment`.
  func observe(
    _ scan: Volume<Float>, path: String, trace: (String) -> Void = { _ in }
  ) throws -> ObservedFit {
    let prepared = PreparedScan(scan)
    try prepared.checkSize(path: path)
    let (scan, scale) = (prepared.volume, try prepared.scale(path: path))
    let placement = register(scan, scale: scale, trace: trace)
    let affine = placement.affine
    var fitter = try start(placement, of: scan, scale: scale, path: path, trace: trace).fitter
    warp(&fitter, Self.coarseWarp, trace: trace)
    let half = ScanAnatomy.halved(ScanAnatomy.onAtlas(scan, affine.transform, prior.grid))
    return ObservedFit(
      half: ScanAnatomy.corrected(half, fitter.bias, prior.grid),
      padding: prepared.padding.value, model: fitter.model,
      histogram: fitter.posteriorHistogram())
  }

  /// Lattice spacings of a warp in mm, and rounds on each.
  private static let coarseWarp = [(20.0, 4), (10, 3)]
  private static let fineWarp = [(6.0, 6)]

  private func warp(
    _ fitter: inout ScanFitter, _ levels: [(Double, Int)], trace: (String) -> Void
  ) {
    guard settings.fitsWarp else { return }
    for (spacing, rounds) in levels {
      fitter.estimateWarp(spacing: spacing, rounds: rounds)
      trace("warp at \(spacing) mm, up to \(fitter.displacement.largest) mm")
    }
  }

  /// Finds z and goes on with the label prior that it makes, under the warp there is. Returns that prior, or those of as
  /// many samples of z as are wanted.
  private func readAnatomy(
    _ learned: LearnedPrior, _ onAtlas: Volume<Float>, _ fitter: inout ScanFitter,
    trace: (String) -> Void
  ) throws -> [LocationPrior] {
    // The scan's own warp knows displacements better than z. With those of z, too, three real scans lose
    // 0.002 Dice, scans drawn from unusual anatomies 0.008, most in small nuclei. And z was read from the
    // intensities that count once more in the posterior: at full weight of its logits those three scans lose
    // 0.0017, at a quarter 0.0001. Where the logits are not brought to where the prior lies, that is displaced
    // twice, they lose 0.0003.
    let parts: DecodedParts = settings.fitsWarp ? .logits(weight: 0.5) : .all
    // What z is read from: intensities and bias field under the coarse warp.
    fitter.estimateBias()
    fitter.estimateIntensities(rounds: 3)
    let half = ScanAnatomy.halved(onAtlas)
    let seen = ScanObservation(
      ScanAnatomy.corrected(half, fitter.bias, prior.grid), model: fitter.model,
      table: prior.table)
    var anatomy = ScanAnatomy(
      learned, reader: try ScanReader(learned), seen: seen, likelihood: settings.likelihood)
    if settings.refinements > 0 {
      let losses = try anatomy.refine(steps: settings.refinements)
      trace("z refined, \(losses.first?.total ?? 0) to \(losses.last?.total ?? 0) nats")
    }
    let own = try anatomy.prior(parts: parts)
    let factor = max(1, Int((2 / own.grid.spacing.max()).rounded()))
    fitter.change(to: GroupPrior(own, factor: factor))
    fitter.estimateIntensities(rounds: 4)
    trace("z read")
    let anatomies =
      settings.samples == 1
      ? [own]
      : try (0..<settings.samples).map {
        try anatomy.sample($0, seed: settings.seed, parts: parts)
      }
    return anatomies
  }

  /// Rounds of bias field and intensities before the warp at most, and the change of the field's logarithm below which
  /// the last one is reached.
  private static let (biasRounds, settledBias) = (12, Float(0.03))

  /// Samples of a scan that the surroundings of the structures of interest take where these are as large as in the atlas.
  private func mostSamples(of grid: Grid) -> Int {
    let factors = Pyramid.factors(for: grid, spacing: 2)
    let volume = grid.voxelVolume * Double(factors.x * factors.y * factors.z)
    return Int(region.volume / volume)
  }

  /// Share of the structures of interest beyond which a field of view is to blame for too few samples.
  private static let mostOutside = 0.5

  /// Samples below which nothing can be estimated.
  private static let fewestSamples = 1000

  /// Share of the prior's structures of interest that a scan's field of view misses.
  private func outsideView(_ scan: Grid, _ transform: Affine) -> Double {
    let grid = coarse.mm8.grid
    let toScan = scan.affine.inverse * transform.inverse * grid.affine
    let most = SIMD3<Double>(scan.extents) - SIMD3(repeating: 0.5)
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
