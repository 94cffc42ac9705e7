import Testing

import Imaging

@Suite struct LabelTableTests {
  private func label(_ index: Int32, group: String = "g", partner: Int32? = nil) -> Label {
    Label(
      index: index, name: "n\(index)", color: .distinct(index), group: group, partner: partner)
  }

  @Test func backgroundComesFirstThenAscendingValues() throws {
    let table = try LabelTable(labels: [label(7), label(3, group: "h"), label(5)])
    #expect(table.labels.map(\.index) == [0, 3, 5, 7])
    #expect(table.groups == ["background", "h", "g"])
    #expect(table.groupOfLabel == [0, 1, 2, 2])
    #expect(table.position(of: 5) == 2)
    #expect(table.position(of: 4) == nil)
    #expect(table.position(of: -1) == nil)
  }

  @Test func mergedValuesStandForTheirLabel() throws {
    var merging = label(2)
    merging.sources = [251, 100_000]
    let table = try LabelTable(labels: [merging])
    #expect(table.position(of: 251) == 1)
    #expect(table.position(of: 100_000) == 1)
    #expect(table.position(of: 100_001) == nil)
    #expect(table.label(of: 251)?.index == 2)
  }

  @Test func partnersArePositions() throws {
    let table = try LabelTable(
      labels: [label(2, partner: 41), label(41, partner: 2), label(14)])
    #expect(table.partnerOfLabel == [nil, 3, nil, 1])
    #expect(table.hasPartners)
  }

  @Test func aTableIsMadeFromValuesAlone() throws {
    let table = try LabelTable.made(from: [9, 4, 4, 0])
    #expect(table.labels.map(\.name) == ["background", "label-4", "label-9"])
    #expect(table.groups.count == 3)
    #expect(!table.hasPartners)
    #expect(throws: LabelTableError(file: nil, .negativeIndex(-3))) {
      try LabelTable.made(from: [-3])
    }
  }

  @Test func madeColoursAreDistinct() throws {
    let colors = (0..<60).map { LabelColor.distinct($0) }
    #expect(Set(colors).count == 60)
  }

  @Test func wrongTablesAreRefused() {
    var merged = label(4)
    merged.sources = [3]
    #expect(throws: LabelTableError(file: nil, .repeatedValue(3, first: "n3", firstLine: nil))) {
      try LabelTable(labels: [label(3), merged])
    }
    #expect(throws: LabelTableError(file: nil, .unpairedPartner(label: 2, partner: 41))) {
      try LabelTable(labels: [label(2, partner: 41), label(41)])
    }
    #expect(throws: LabelTableError(file: nil, .unpairedPartner(label: 2, partner: 2))) {
      try LabelTable(labels: [label(2, partner: 2)])
    }
    var everything = label(4)
    everything.sources = [0]
    #expect(throws: LabelTableError(file: nil, .backgroundMerged(into: "n4"))) {
      try LabelTable(labels: [everything])
    }
  }
}
