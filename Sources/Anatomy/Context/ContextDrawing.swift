import Imaging
import Networks

/// Draws scans from label maps and fits them as scans are fitted: what a `ContextNetwork` learns from.
struct ContextDrawing {
  let maps: AlignedMaps
  private let augmentation: MapAugmentation
  private let segmenter: Segmenter
  let merge: SideMerge
  private let isTarget: [Bool]
  /// For each merged label, whether it is a structure of interest.
  let isJudged: [Bool]

  /// - Throws: what `Segmenter` throws; `AnatomyError.tooFewSamples`.
  init(
    _ maps: AlignedMaps, prior: LocationPrior, augmentation: MapAugmentation.Settings
  ) throws {
    self.maps = maps
    self.augmentation = MapAugmentation(maps, settings: augmentation)
    var settings = Segmenter.Settings()
    settings.transform = .identity
    segmenter = try Segmenter(prior: prior, settings: settings)
    try segmenter.checkSize()
    let merge = SideMerge(prior.table)
    self.merge = merge
    let isTarget = prior.table.isOfInterest
    self.isTarget = isTarget
    isJudged = (0..<merge.count).map { channel in
      isTarget.indices.contains { isTarget[$0] && merge.channelOf[$0] == channel }
    }
  }

  /// A scan and what its voxels really are.
  struct Example {
    let view: ContextView
    /// Merged labels over the atlas grid; `ChannelMap.missing` where nothing is known.
    let truth: [UInt8]
    /// Some voxels of each structure of interest.
    fileprivate let places: [[Int]]
    let grid: Grid

    /// Where a tile begins whose middle lies in a structure of interest, small ones as often as large ones.
    func place(_ extents: Extents, random: inout Philox) -> SIMD3<Int> {
      func one<Value>(of values: [Value]) -> Value? {
        let draw = random.next()
        return values.isEmpty ? nil : values[Int(draw % UInt64(values.count))]
      }
      let voxel = one(of: places).flatMap { one(of: $0) } ?? 0
      let (x, rest) = (voxel % grid.extents.x, voxel / grid.extents.x)
      let centre = SIMD3(x, rest % grid.extents.y, rest / grid.extents.y)
      return centre &- SIMD3(extents.width / 2, extents.height / 2, extents.depth / 2)
    }
  }

  /// A scan that has not been fitted yet.
  struct Drawn {
    fileprivate let channels: [UInt8]
    fileprivate let scan: Volume<Float>
  }

  /// The scan of a number, which decides everything with the seed, from a map that is drawn too, or of a map as it
  /// is.
  func draw(_ number: Int, seed: UInt64, of map: Int? = nil) -> Drawn {
    var random = Philox(seed: seed, .scans, number: UInt64(number))
    let channels =
      map.map { maps.maps[$0].channels }
      ?? augmentation.draw(Int(random.next() % UInt64(maps.maps.count)), random: &random)
    let scan = drawn(channels, seed: random.next(), random: &random)
    return Drawn(channels: channels, scan: scan)
  }

  /// Scans that are drawn in place of one that cannot be fitted before it is given up.
  static let attempts = 8

  /// A scan of a map as it is, drawn and fitted. Throws as `Segmenter.segment`.
  func example(of map: Int, seed: UInt64) throws -> Example {
    for attempt in 1..<Self.attempts {
      if let example = try? example(draw(attempt, seed: seed + UInt64(map), of: map)) {
        return example
      }
    }
    return try example(draw(0, seed: seed + UInt64(map), of: map))
  }

  /// Fits a scan. Throws as `Segmenter.segment`: of some contrasts nothing can be found.
  func example(_ drawn: Drawn) throws -> Example {
    let (channels, scan) = (drawn.channels, drawn.scan)
    let view = try segmenter.contextView(of: scan, merge: merge)
    var places = [[Int]](repeating: [], count: isTarget.count)
    let truth = channels.indices.map { voxel -> UInt8 in
      let label = channels[voxel]
      if label == ChannelMap.missing { return label }
      if voxel % 7 == 0, isTarget[Int(label)] { places[Int(label)].append(voxel) }
      return UInt8(view.channelOf[Int(label)])
    }
    return Example(
      view: view, truth: truth, places: places.filter { !$0.isEmpty }, grid: scan.grid)
  }

  /// A scan of any contrast on the atlas grid.
  private func drawn(_ channels: [UInt8], seed: UInt64, random: inout Philox) -> Volume<Float> {
    var settings = SyntheticScan.Settings()
    func between(_ least: Double, _ most: Double) -> Double {
      least + (most - least) * Double(random.uniform())
    }
    settings.seed = seed
    let contrasts: [SyntheticContrast] = [.t1, .t1, .t1, .t2, .random, .random]
    settings.contrast = contrasts[Int(random.next() % UInt64(contrasts.count))]
    settings.bias = between(0, 0.15)
    settings.noise = between(0.005, 0.05)
    settings.blur = between(0.08, 0.24)
    settings.unevenness = between(0, 0.05)
    settings.stripped = random.uniform() < 0.5
    let (isThick, axis, thickness) = (
      random.uniform() < 0.15, Int(random.next() % 3), 2 + Int(random.next() % 4)
    )
    let known = ChannelMap.filled(channels, with: 0)
    let scan = SyntheticScan.scan(
      of: known, table: maps.space.table, on: maps.space.grid, settings: settings)
    guard isThick else { return scan }
    var factors = SIMD3(1, 1, 1)
    factors[axis] = thickness
    return Resampler.linear(
      Pyramid.averaged(scan, factors: factors), onto: scan.grid, outside: 0
    ).volume()
  }
}
