import Imaging

/// An atlas to be built from label maps, with what was left open decided by the maps themselves.
package struct AtlasRequest {
  package let paths: [String]
  /// Nil: chosen by the maps' values.
  package var table: LabelTable?
  /// The built-in table of heads, if it was found.
  package var head: LabelTable?
  package var settings = AtlasBuilder.Settings()
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
  /// - Throws: what `AtlasBuilder` and `read` throw.
  package func build() throws -> (atlas: Atlas, reports: [AtlasBuilder.MapReport]) {
    guard let first = paths.first else { throw AnatomyError.noMaps(path: "") }
    if let table {
      // A list of all structures that a program knows names more than maps hold.
      let isLong = table.count > ChannelMap.mostLabels
      return try build(AtlasTable(given: table, values: isLong ? valuesOfAll() : nil))
    }
    progress("reading", 0)
    let guess = try AtlasTable(of: AtlasTable.values(in: try read(first)), head: head)
    if guess.origin == .head {
      do {
        return try build(guess)
      } catch AnatomyError.unknownLabels {
        // One of the others holds more: its values decide.
      }
    }
    return try build(try AtlasTable(of: try valuesOfAll(), head: head))
  }

  private func valuesOfAll() throws -> Set<Int32> {
    var values: Set<Int32> = []
    for path in paths {
      progress("reading", 0)
      values.formUnion(AtlasTable.values(in: try read(path)))
    }
    return values
  }

  private func build(
    _ choice: AtlasTable
  ) throws -> (atlas: Atlas, reports: [AtlasBuilder.MapReport]) {
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
