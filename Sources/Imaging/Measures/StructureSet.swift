/// Which structures of label maps are compared, and which values count as them.
package struct StructureSet: Equatable, Sendable {
  /// One structure.
  package struct Structure: Equatable, Sendable {
    /// The value that names it.
    package let index: Int32
    package let name: String
    /// Every value that counts as it, `index` among them.
    package let values: [Int32]

    package init(index: Int32, name: String, values: [Int32]) {
      self.index = index
      self.name = name
      self.values = values
    }
  }

  package let structures: [Structure]
  /// Structures with fewer voxels in the reference are left out.
  package let smallest: Int

  package init(structures: [Structure], smallest: Int = 1) {
    self.structures = structures
    self.smallest = smallest
  }

  /// Everything in a reference except background. With a table, by its names, values that it merges
  /// counted together, and values that it does not know by themselves.
  package static func present(
    in reference: Volume<Int32>, table: LabelTable? = nil
  ) -> StructureSet {
    var present: Set<Int32> = []
    var last: Int32 = 0
    for value in reference.voxels where value != last {
      present.insert(value)
      last = value
    }
    present.remove(0)
    let labels = Set(present.map { table?.label(of: $0)?.index ?? $0 }).subtracting([0])
    return StructureSet(
      structures: labels.sorted().map { index in
        let label = table?.label(of: index)
        return Structure(
          index: index, name: label?.name ?? "label-\(index)",
          values: [index] + (label?.sources ?? []))
      })
  }

  /// The 29 structures of the head that segmentations by different tools have in common, both sides of
  /// FreeSurfer's labels with small parts merged into what contains them; those of fewer than 50 voxels
  /// are left out.
  package static let head29: StructureSet = {
    let merged: [Int32: [Int32]] = [
      2: [25, 77, 78, 80, 251, 252, 253, 254, 255], 41: [57, 79], 4: [5, 31, 136, 137],
      43: [44, 63, 163, 164],
    ]
    let sides = HeadStructures.pairs.flatMap {
      [($0.left, "Left-" + $0.name), ($0.right, "Right-" + $0.name)]
    }
    let middle = HeadStructures.middle.map { ($0.value, $0.name) }
    return StructureSet(
      structures: (middle + sides).sorted { $0.0 < $1.0 }.map { index, name in
        Structure(index: index, name: name, values: [index] + (merged[index] ?? []))
      }, smallest: 50)
  }()
}
