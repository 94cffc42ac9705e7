import Imaging

/// An atlas to be built from label maps, with what was left open decided by the maps themselves.
package struct AtlasRequest {
  package let paths: [String]
  /// Nil: chosen by the maps' values.
  package var table: LabelTable?
  /// The built-in table of heads, if it was found.
  package var head: LabelTable?
  /// Extents of the atlas grid, voxels.
  package var extents: SIMD3<Int>?
  /// Its voxel size along each axis, mm.
  package var spacing: Double?
  package var settings = AtlasBuilder.Settings()
  /// Most memory that counting may take, bytes; grids that are asked for and need more are refused.
  package var mostBytes: Int?
  /// Reads a label map.
  package var read: (String) throws -> Volume<Int32>
  /// The table that is used, told before the long work begins.
  package var chose: (AtlasTable) throws -> Void = { _ in }
  /// What is under way, and how much of the whole is done, 0...1.
  package var progress: (_ stage: String, _ fraction: Double) -> Void = { _, _ in }

  package init(paths: [String], read: @escaping (String) throws -> Volume<Int32>) {
    self.paths = paths
    self.read = read
  }

  /// Builds it. Without a table, maps whose first is a head are taken for heads until one of them holds
  /// something else, so that heads need no pass of their own.
  ///
  /// - Throws: what `AtlasBuilder` and `read` throw; `ImagingError.outOfMemory`.
  package func build() throws -> (atlas: Atlas, reports: [AtlasBuilder.MapReport]) {
    guard let first = paths.first else { throw AnatomyError.noMaps(path: "") }
    if let table { return try build(AtlasTable(given: table)) }
    progress("reading", 0)
    let guess = try AtlasTable(of: AtlasTable.values(in: try read(first)), head: head)
    if guess.origin == .head {
      do {
        return try build(guess)
      } catch AnatomyError.unknownLabels {
        // One of the others holds more: its values decide.
      }
    }
    var values: Set<Int32> = []
    for path in paths {
      progress("reading", 0)
      values.formUnion(AtlasTable.values(in: try read(path)))
    }
    return try build(try AtlasTable(of: values, head: head))
  }

  /// Of each voxel and label: a counter, and the share that it becomes.
  private static let bytesOfCounting = 3

  private func build(
    _ choice: AtlasTable
  ) throws -> (atlas: Atlas, reports: [AtlasBuilder.MapReport]) {
    var settings = settings
    if extents != nil || spacing != nil {
      let grid = try grid(for: choice.table)
      let (needed, overflows) = grid.count.multipliedReportingOverflow(
        by: Self.bytesOfCounting * choice.table.count)
      guard !overflows, needed <= mostBytes ?? .max else {
        throw ImagingError.outOfMemory(bytes: needed)
      }
      settings.grid = grid
    }
    try chose(choice)
    let maps = paths.count
    var share = ProgressShare(settings, comparesMirrors: choice.table.hasPartners && maps > 1)
    let builder = AtlasBuilder(
      table: choice.table, settings: settings, read: read,
      progress: { stage, done, all in
        progress(stage, share.fraction(stage, Double(done) / Double(max(1, all))))
      })
    return try builder.build(paths)
  }

  /// The grid asked for: centre and axes of the standard head grid where the table has its structures,
  /// else of the first map, as the builder sorts them; extents that are not given cover the same box.
  private func grid(for table: LabelTable) throws -> Grid {
    let isHead = CentroidAlignment.standardTargets(for: table) != nil
    let base = isHead ? Grid.standardHead : try read(paths.min() ?? "").grid
    return Self.grid(extents: extents, spacing: spacing, around: base)
  }

  /// A grid with the centre and axes of another.
  package static func grid(extents: SIMD3<Int>?, spacing: Double?, around base: Grid) -> Grid {
    let own = base.spacing
    let step = spacing.map { SIMD3(repeating: $0) } ?? own
    // Rounding errors must not add a voxel.
    let covering = (SIMD3<Double>(base.extents) * own / step - 1e-6).rounded(.up)
    let extents = extents ?? SIMD3(Int(covering.x), Int(covering.y), Int(covering.z))
    let columns = base.affine.columns
    let axes = (
      columns.0 / own.x * step.x, columns.1 / own.y * step.y, columns.2 / own.z * step.z
    )
    let turned = Affine(columns: axes, translation: .zero)
    let middle = (SIMD3<Double>(extents) - SIMD3(repeating: 1)) / 2
    return Grid(
      extents: extents,
      affine: Affine(columns: axes, translation: base.centre - turned.linear(middle)))
  }
}

/// How much of building an atlas is done, by rough shares of time for its stages.
private struct ProgressShare {
  private var starts: [String: (start: Double, size: Double)] = [:]
  private var last = 0.0

  init(_ settings: AtlasBuilder.Settings, comparesMirrors: Bool) {
    let images = settings.mirrored == false || !comparesMirrors ? 1.0 : 2.0
    var stages = [("reading", 1.0)]
    if comparesMirrors, settings.mirrored == nil { stages.append(("comparing mirror images", 1.5)) }
    stages.append(("counting", 1.5 * images))
    for round in 0..<settings.refinements {
      stages.append(("aligning, round \(round + 1)", 4 * images))
    }
    stages.append(("checking", 1))
    let all = stages.reduce(0) { $0 + $1.1 }
    var start = 0.0
    for (name, size) in stages {
      starts[name] = (start / all, size / all)
      start += size
    }
  }

  /// Never less than before.
  mutating func fraction(_ stage: String, _ share: Double) -> Double {
    if let place = starts[stage] { last = max(last, place.start + share * place.size) }
    return last
  }
}
