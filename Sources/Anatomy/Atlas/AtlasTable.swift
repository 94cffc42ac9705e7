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

  package init(given table: LabelTable) {
    self.table = table
    origin = .given
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
