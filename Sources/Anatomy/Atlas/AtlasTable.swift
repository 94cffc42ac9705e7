import Imaging

/// Which label table an atlas is built with, where none is named.
package struct AtlasTable: Equatable, Sendable {
  package enum Origin: Equatable, Sendable {
    /// Named by the person who builds the atlas.
    case given
    /// The built-in head table: every value of the maps is one of its, and they hold a head.
    case head
    /// Made from the values found.
    case made
  }

  package let table: LabelTable
  package let origin: Origin
  /// Values that keep maps of heads from the built-in table.
  package private(set) var foreign: [Int32] = []

  /// Labels of the table that was given, background aside, that were left out since no map holds them.
  package private(set) var unused = 0

  /// A table that was named, of which only what is among `values` is kept, if these are given.
  package init(given table: LabelTable, values: Set<Int32>? = nil) throws {
    origin = .given
    guard let values else {
      self.table = table
      return
    }
    var kept = table.labels.filter { label in
      label.index == 0 || ([label.index] + label.sources).contains { values.contains($0) }
    }
    let known = Set(kept.map(\.index))
    for i in kept.indices {
      if let partner = kept[i].partner, !known.contains(partner) { kept[i].partner = nil }
    }
    unused = table.count - kept.count
    self.table = try LabelTable(labels: kept)
  }

  /// From the values of maps.
  package init(of values: Set<Int32>, head: LabelTable?) throws {
    if let head, CentroidAlignment.isHead(values) {
      foreign = values.filter { head.position(of: $0) == nil }.sorted()
      if foreign.isEmpty {
        (table, origin) = (head, .head)
        return
      }
    }
    (table, origin) = (try LabelTable.made(from: values), .made)
  }

  /// The values that a label map holds.
  static func values(in map: Volume<Int32>) -> Set<Int32> {
    var values: Set<Int32> = []
    var last: Int32?
    for value in map.voxels where value != last {
      values.insert(value)
      last = value
    }
    return values
  }
}
