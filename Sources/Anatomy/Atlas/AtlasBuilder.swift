import Foundation
import Imaging

/// Builds an atlas from label maps, reading one at a time.
///
/// Maps are brought into a common space by the centroids of their structures, the frequency of each label
/// is counted at every voxel that a map's field of view reaches, and the counts are smoothed into the
/// location prior. With `refinements`, every map is then warped to the prior of all of them, smoothly, and
/// counted again, which sharpens what differs between people by shape rather than by substance.
package struct AtlasBuilder {
  package struct Settings: Sendable {
    package var name = "custom"
    /// Extents of the grid, voxels, and its voxel size along each axis, mm. Nil: the standard head grid's where the
    /// table has MNI305's structures, else the first map's, larger where others reach beyond it.
    package var extents: SIMD3<Int>?
    package var spacing: Double?
    /// Most memory that counting may take, bytes.
    package var mostBytes: Int?
    /// Standard deviation of the Gaussian on the counts, in mm.
    package var smoothing = 0.8
    /// Mirror images: nil adds them where leaving maps out shows that they help.
    package var mirrored: Bool?
    package var refinements = 1
    package init() {}
  }

  /// What is known about one label map after its use.
  package struct MapReport: Sendable {
    package let path: String
    /// Labels of the table that the map lacks.
    package let absent: [String]
    /// Root mean square of what the alignment of centroids leaves, mm.
    package let rms: Double
    /// Share of the map's labelled voxels that lie outside the atlas grid.
    package let clipped: Double
    /// Faces at which the map's field of view cuts through tissue.
    package let cutFaces: Int

    package init(path: String, absent: [String], rms: Double, clipped: Double, cutFaces: Int) {
      self.path = path
      self.absent = absent
      self.rms = rms
      self.clipped = clipped
      self.cutFaces = cutFaces
    }
  }

  let table: LabelTable
  let settings: Settings
  /// Reads a label map; the builder calls it once per map and pass.
  let read: (String) throws -> Volume<Int32>
  /// Told what is under way: the stage's name, work done and work to do.
  let progress: (String, Int, Int) -> Void

  package init(
    table: LabelTable, settings: Settings, read: @escaping (String) throws -> Volume<Int32>,
    progress: @escaping (String, Int, Int) -> Void = { _, _, _ in }
  ) {
    self.table = table
    self.settings = settings
    self.read = read
    self.progress = progress
  }

  /// Everything about one map that later passes need; a few hundred bytes.
  struct Placed {
    let path: String
    let centroids: [SIMD3<Double>?]
    let grid: Grid
    /// Voxels that hold labels, first and last along each axis.
    let labelled: [ClosedRange<Int>]
    /// World mm to atlas world mm, for the map and for its mirror image.
    var affine = Affine.identity
    var mirrorAffine = Affine.identity
    var rms = 0.0
  }

  /// The atlas of the maps at `paths`, whose order does not matter, and a report on each.
  ///
  /// - Throws: `AnatomyError` for what is wrong with maps, table or grid, `ImagingError.outOfMemory`, and what `read`
  ///   throws.
  package func build(_ paths: [String]) throws -> (atlas: Atlas, reports: [MapReport]) {
    let paths = paths.sorted()
    guard !paths.isEmpty else { throw AnatomyError.noMaps(path: "") }
    guard table.count <= ChannelMap.mostLabels else {
      throw AnatomyError.tooManyLabels(found: table.count, most: ChannelMap.mostLabels)
    }
    var statistics = [VolumeStatistics](repeating: VolumeStatistics(), count: table.count)
    var placed: [Placed] = []
    for (i, path) in paths.enumerated() {
      progress("reading", i, paths.count)
      let map = try ChannelMap(try read(path), table: table, path: path)
      let found = map.centroids(labels: table.count)
      guard let labelled = map.labelled, found.contains(where: { $0 != nil }) else {
        throw AnatomyError.emptyMap(path: path)
      }
      for (label, entry) in found.enumerated() {
        if let entry { statistics[label].add(Double(entry.voxels) * map.grid.voxelVolume) }
      }
      placed.append(
        Placed(
          path: path, centroids: found.map { $0?.centre }, grid: map.grid, labelled: labelled))
    }
    let standard = CentroidAlignment.standardTargets(for: table)
    let targets = standard ?? Self.groupTargets(placed)
    align(&placed, to: targets)
    let grid = try grid(for: placed, isHead: standard != nil)

    let mirrored = try settings.mirrored ?? mirrorsHelp(placed, grid: grid)
    var prior = try count(placed, grid: grid, mirrored: mirrored, warps: nil).prior(
      table: table,
      smoothing: settings.refinements > 0 ? max(settings.smoothing, 1.5) : settings.smoothing)
    for round in 0..<settings.refinements {
      let last = round == settings.refinements - 1
      prior = try count(placed, grid: grid, mirrored: mirrored, warps: prior, round: round)
        .prior(table: table, smoothing: last ? settings.smoothing : max(settings.smoothing, 1.2))
    }
    var reports: [MapReport] = []
    for (i, entry) in placed.enumerated() {
      progress("checking", i, placed.count)
      reports.append(try report(entry, grid: grid))
    }
    let atlas = Atlas(
      name: settings.name, space: standard != nil ? CentroidAlignment.headSpace : settings.name,
      prior: prior, volumes: statistics,
      origin: AtlasOrigin(
        maps: placed.count, mirrored: mirrored, smoothing: settings.smoothing,
        refinements: settings.refinements))
    return (atlas, reports)
  }

  /// Of each voxel and label: a counter, and the share that it becomes.
  private static let bytesOfCounting = 3

  /// The atlas's grid, which there must be memory to count on.
  private func grid(for placed: [Placed], isHead: Bool) throws -> Grid {
    let own =
      isHead
      ? nil
      : AtlasGrid.covering(
        placed.map { .init(grid: $0.grid, labelled: $0.labelled, affine: $0.affine) })
    let grid = try AtlasGrid.grid(
      extents: settings.extents, spacing: settings.spacing, around: own ?? .standardHead)
    let (needed, overflows) = grid.count.multipliedReportingOverflow(
      by: Self.bytesOfCounting * table.count)
    guard !overflows, needed <= settings.mostBytes ?? .max else {
      throw ImagingError.outOfMemory(bytes: overflows ? .max : needed)
    }
    return grid
  }

  // MARK: Alignment

  private func align(_ placed: inout [Placed], to targets: [SIMD3<Double>?]) {
    for i in placed.indices {
      let place = MapPlacement(centroids: placed[i].centroids, targets: targets, table: table)
      placed[i].affine = place.affine
      placed[i].mirrorAffine = place.mirrorAffine
      placed[i].rms = place.rms
    }
  }

  /// Mean centroids of the group, after each map is brought to the mean of the others.
  private static func groupTargets(_ placed: [Placed]) -> [SIMD3<Double>?] {
    guard let first = placed.first else { return [] }
    func mean(_ maps: [[SIMD3<Double>?]]) -> [SIMD3<Double>?] {
      first.centroids.indices.map { label in
        let points = maps.compactMap { $0[label] }
        return points.isEmpty ? nil : points.reduce(.zero, +) / Double(points.count)
      }
    }
    // Translations first, so that the place in the scanner does not blur the mean.
    let middles = placed.map { map -> SIMD3<Double> in
      let points = map.centroids.compactMap { $0 }
      return points.reduce(.zero, +) / Double(max(1, points.count))
    }
    // The first map's, around whose grid the atlas's is laid.
    let middle = middles[0]
    var targets = mean(
      zip(placed, middles).map { map, own in
        map.centroids.map { $0.map { point in point - own + middle } }
      })
    for _ in 0..<3 {
      let aligned = placed.map { map -> [SIMD3<Double>?] in
        let fit = CentroidAlignment.fit(map.centroids, to: targets).affine
        return map.centroids.map { $0.map { point in fit(point) } }
      }
      let next = mean(aligned)
      // Each fit shrinks a little towards the mean; the group's own size is kept.
      let back = CentroidAlignment.fit(next, to: targets).affine
      targets = next.map { $0.map { back($0) } }
    }
    // Where maps lack structures, or these lie elsewhere in each, their mean is smaller than they are.
    let sizes = placed.map { map in
      // Of a map that is mirrored, the size counts.
      let volume = abs(CentroidAlignment.fit(map.centroids, to: targets).affine.determinant)
      return log(max(volume, 1e-3))
    }
    let size = exp(sizes.reduce(0, +) / Double(max(1, sizes.count)) / 3)
    return targets.map { $0.map { middle + ($0 - middle) / size } }
  }

  // MARK: Counting

  /// The map (or its mirror image) and its affine.
  private func load(_ entry: Placed, mirrored: Bool) throws -> (ChannelMap, Affine) {
    let map = try ChannelMap(try read(entry.path), table: table, path: entry.path)
    return mirrored
      ? (map.mirrored(table: table), entry.mirrorAffine) : (map, entry.affine)
  }

  private func count(
    _ placed: [Placed], grid: Grid, mirrored: Bool, warps: LocationPrior?, round: Int = 0
  ) throws -> LabelCounts {
    let counts = LabelCounts(grid: grid, labels: table.count)
    let aligner = warps.map { MapAligner(prior: $0, round: round) }
    for (i, entry) in placed.enumerated() {
      progress(warps == nil ? "counting" : "aligning, round \(round + 1)", i, placed.count)
      let (map, affine) = try load(entry, mirrored: false)
      let inverse = aligner?.displacement(of: map, affine)
      try counts.add(map.placed(by: affine, on: grid, displacedBy: inverse))
      if mirrored {
        let (image, affine) = (map.mirrored(table: table), entry.mirrorAffine)
        let inverse = aligner?.displacement(of: image, affine)
        try counts.add(image.placed(by: affine, on: grid, displacedBy: inverse))
      }
    }
    return counts
  }

  private func report(_ entry: Placed, grid: Grid) throws -> MapReport {
    let (map, affine) = try load(entry, mirrored: false)
    let toGrid = grid.affine.inverse * affine * map.grid.affine
    let most = SIMD3<Double>(grid.extents) - SIMD3(repeating: 0.5)
    let least = SIMD3<Double>(repeating: -0.5)
    var (labelled, outside, voxel) = (0, 0, 0)
    for z in 0..<map.grid.extents.z {
      for y in 0..<map.grid.extents.y {
        let start = toGrid(SIMD3(0, Double(y), Double(z)))
        for x in 0..<map.grid.extents.x {
          if map.channels[voxel] != 0 {
            labelled += 1
            let at = start + toGrid.columns.0 * Double(x)
            if any(at .< least) || any(at .> most) { outside += 1 }
          }
          voxel += 1
        }
      }
    }
    let absent = table.labels.indices.filter { $0 > 0 && entry.centroids[$0] == nil }
    return MapReport(
      path: entry.path, absent: absent.map { table.labels[$0].name }, rms: entry.rms,
      clipped: Double(outside) / Double(max(1, labelled)), cutFaces: map.cutFaces)
  }

  // MARK: Mirror images

  /// Whether mirror images raise the likelihood of maps left out, at a coarse resolution, over at most
  /// `mostLeftOut` of them spread over the list.
  private func mirrorsHelp(_ placed: [Placed], grid: Grid) throws -> Bool {
    guard table.hasPartners, placed.count > 1 else { return table.hasPartners }
    let coarse = grid.coarsened(by: SIMD3(repeating: 3))
    let plain = LabelCounts(grid: coarse, labels: table.count)
    let images = LabelCounts(grid: coarse, labels: table.count)
    let (mostLeftOut, most) = (4, 200)
    let used = Self.spread(placed, most: most)
    let step = max(1, used.count / mostLeftOut)
    var leftOut: [(map: [UInt8], image: [UInt8])] = []
    for (i, entry) in used.enumerated() {
      progress("comparing mirror images", i, used.count)
      let (map, affine) = try load(entry, mirrored: false)
      let own = map.placed(by: affine, on: coarse)
      let image = map.mirrored(table: table).placed(by: entry.mirrorAffine, on: coarse)
      try plain.add(own)
      try images.add(image)
      if i % step == 0, leftOut.count < mostLeftOut { leftOut.append((own, image)) }
    }
    var gain = 0.0
    for (own, image) in leftOut {
      plain.remove(own)
      images.remove(image)
      let without = plain.prior(table: table, smoothing: 2)
      try plain.add(images)
      let with = plain.prior(table: table, smoothing: 2)
      gain += Self.logLikelihood(own, with) - Self.logLikelihood(own, without)
      plain.subtract(images)
      try plain.add(own)
      try images.add(image)
    }
    return gain > 0
  }

  /// At most so many of a list, spread over it.
  static func spread<Element>(_ list: [Element], most: Int) -> [Element] {
    guard list.count > most else { return list }
    return (0..<most).map { list[$0 * list.count / most] }
  }

  /// Log-probability of a map's labels under a prior with a chance of 1e-3 for anything, nats.
  private static func logLikelihood(_ channels: [UInt8], _ prior: LocationPrior) -> Double {
    var sum = 0.0
    for (voxel, label) in channels.enumerated() where label != ChannelMap.missing {
      sum += log(Double(prior.probability(of: Int(label), at: voxel)) + 1e-3)
    }
    return sum
  }
}
