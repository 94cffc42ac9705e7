import Imaging
import Testing

/// Numbers by SciPy: golden_measures.py beside this file.
@Suite struct MeasuresTests {
  static let extents = SIMD3(23, 19, 17)
  static let spacing = SIMD3(0.8, 1.1, 2.5)

  private static func ball(_ centre: SIMD3<Int>, _ weights: SIMD3<Int>, _ limit: Int) -> Region {
    var members: [Bool] = []
    for z in 0..<extents.z {
      for y in 0..<extents.y {
        for x in 0..<extents.x {
          let away = SIMD3(x, y, z) &- centre
          members.append((weights &* away &* away).wrappedSum() < limit)
        }
      }
    }
    return Region(extents: extents, members: members)
  }

  struct Golden: CustomStringConvertible {
    let description: String
    let first: Region
    let second: Region
    let dice: Double
    let surface95: Double
    let sum: Double
    let largest: Double
  }

  static let hollow = Region(
    extents: extents,
    members: zip(
      ball(SIMD3(11, 9, 8), SIMD3(1, 1, 1), 50).members,
      ball(SIMD3(11, 9, 8), SIMD3(1, 1, 1), 12).members
    ).map { $0 && !$1 })

  static let golden: [Golden] = [
    Golden(
      description: "apart", first: ball(SIMD3(7, 8, 6), SIMD3(4, 9, 16), 300),
      second: ball(SIMD3(10, 9, 8), SIMD3(5, 7, 20), 280), dice: 0.534451768,
      surface95: 5.761003, sum: 48203.2633, largest: 20.685260),
    Golden(
      description: "touching the border", first: ball(.zero, SIMD3(1, 1, 1), 60),
      second: ball(SIMD3(2, 1, 0), SIMD3(1, 2, 1), 60), dice: 0.849354376, surface95: 1.6,
      sum: 101015.3722, largest: 32.569004),
    Golden(
      description: "a speck", first: ball(SIMD3(11, 9, 8), SIMD3(1, 1, 1), 30),
      second: ball(SIMD3(20, 15, 14), SIMD3(1, 1, 1), 1), dice: 0, surface95: 28.199008,
      sum: 39094.1872, largest: 13.891724),
    Golden(
      description: "hollow", first: hollow,
      second: ball(SIMD3(11, 9, 8), SIMD3(1, 1, 1), 50), dice: 0.935883015, surface95: 3.2,
      sum: 26323.5134, largest: 10.972693),
  ]

  @Test(arguments: golden) func distancesAreSciPys(_ golden: Golden) throws {
    let squared = DistanceTransform.squared(
      to: golden.first.members, extents: Self.extents, spacing: Self.spacing)
    let distances = squared.map { Double($0).squareRoot() }
    // The sum is printed with four decimals; distances are rounded to Float, about 1e-6 mm each.
    #expect(abs(distances.reduce(0, +) - golden.sum) < 2e-3)
    #expect(abs((distances.max() ?? 0) - golden.largest) < 2e-6)
    let surface = try #require(
      SurfaceDistance.percentile95(golden.first, golden.second, spacing: Self.spacing))
    #expect(abs(surface - golden.surface95) < 2e-6)
  }

  @Test(arguments: golden) func scoresAgreeWithTheirParts(_ golden: Golden) throws {
    let grid = Grid(
      extents: Self.extents,
      affine: Affine(rows: [[-0.8, 0, 0, 3], [0, 0, 2.5, -4], [0, -1.1, 0, 9]]))
    func labels(_ region: Region) -> Volume<Int32> {
      Volume(grid: grid, voxels: region.members.map { $0 ? 7 : 0 })
    }
    let reference = labels(golden.second)
    let score = try #require(
      try LabelComparison.scores(
        segmentation: labels(golden.first), reference: reference, set: .present(in: reference)
      ).first)
    #expect(abs(score.dice - golden.dice) < 1e-9)
    #expect(abs((score.surfaceDistance95 ?? .nan) - golden.surface95) < 2e-6)
    #expect(score.name == "label-7")
    #expect(abs(score.volume - Double(score.voxels) * 2.2) < 1e-6)
  }

  @Test func nothingChosenIsInfinitelyFar() {
    let squared = DistanceTransform.squared(
      to: [false, false], extents: SIMD3(2, 1, 1), spacing: SIMD3(1, 1, 1))
    #expect(squared == [.infinity, .infinity])
  }

  @Test func distancesInOneLine() {
    let squared = DistanceTransform.squared(
      to: [false, true, false, false, true], extents: SIMD3(1, 5, 1), spacing: SIMD3(1, 0.5, 1))
    #expect(squared == [0.25, 0, 0.25, 0.25, 0])
  }
}

@Suite struct LabelComparisonTests {
  private let grid = Grid(extents: SIMD3(6, 5, 4), affine: .identity)

  private func volume(_ value: (Int) -> Int32) -> Volume<Int32> {
    Volume(grid: grid, voxels: (0..<grid.count).map(value))
  }

  @Test func aMissingStructureScoresZero() throws {
    let reference = volume { $0 < 40 ? 3 : 5 }
    let scores = try LabelComparison.scores(
      segmentation: volume { _ in 3 }, reference: reference, set: .present(in: reference))
    #expect(scores.map(\.index) == [3, 5])
    #expect(scores[1].dice == 0)
    #expect(scores[1].surfaceDistance95 == nil)
    #expect(scores[1].volumeDifferencePercent == -100)
  }

  @Test func aTableMergesValuesAndNamesThem() throws {
    var label = Label(index: 3, name: "kidney", color: .black, group: "kidney")
    label.sources = [30]
    let table = try LabelTable(labels: [label])
    let reference = volume { $0 % 2 == 0 ? 3 : 30 }
    let scores = try LabelComparison.scores(
      segmentation: volume { _ in 3 }, reference: reference,
      set: .present(in: reference, table: table))
    #expect(scores.map(\.name) == ["kidney"])
    #expect(scores[0].dice == 1)
  }

  @Test func otherGridsAreRefused() {
    let affine = Affine(rows: [[1, 0, 0, 0.002], [0, 1, 0, 0], [0, 0, 1, 0]])
    let moved = Grid(extents: grid.extents, affine: affine)
    let reference = volume { _ in 1 }
    #expect(throws: LabelComparisonError.otherGrid(moved, reference: grid)) {
      try LabelComparison.scores(
        segmentation: Volume(grid: moved, repeating: 1), reference: reference,
        set: .present(in: reference))
    }
  }

  @Test func anEmptyReferenceIsRefused() {
    let empty = volume { _ in 0 }
    #expect(throws: LabelComparisonError.nothingToScore(smallest: 1)) {
      try LabelComparison.scores(
        segmentation: empty, reference: empty, set: .present(in: empty))
    }
  }

  /// Every value merged twice would count twice.
  @Test func theHeadsSetHas29StructuresAndNoValueTwice() {
    let values = StructureSet.head29.structures.flatMap(\.values)
    #expect(StructureSet.head29.structures.count == 29)
    #expect(Set(values).count == values.count)
    #expect(StructureSet.head29.structures.first?.values.contains(255) == true)
  }

  /// Dice as published scripts for these 29 structures compute it: values merged first, then counted.
  @Test func theHeadsSetMergesLikeItsScript() throws {
    let merged: [Int32: Int32] = [
      5: 4, 44: 43, 31: 4, 63: 43, 136: 4, 163: 43, 137: 4, 164: 43, 251: 2, 252: 2, 253: 2,
      254: 2, 255: 2, 77: 2, 78: 2, 79: 41, 80: 2, 25: 2, 57: 41, 85: 0, 30: 0, 62: 0, 72: 0,
      24: 0,
    ]
    let wide = Grid(extents: SIMD3(40, 30, 20), affine: .identity)
    var state: UInt64 = 1
    func draw() -> Int32 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int32((state >> 33) % 260)
    }
    let found = Volume(grid: wide, voxels: (0..<wide.count).map { _ in draw() })
    let truth = Volume(
      grid: wide, voxels: found.voxels.map { value in draw() < 130 ? value : draw() })
    let a = found.voxels.map { merged[$0] ?? $0 }
    let b = truth.voxels.map { merged[$0] ?? $0 }
    let scores = try LabelComparison.scores(segmentation: found, reference: truth, set: .head29)
    let large = StructureSet.head29.structures.filter { structure in
      b.count { $0 == structure.index } >= 50
    }
    #expect(scores.map(\.index) == large.map(\.index))
    for score in scores {
      let shared = zip(a, b).count { $0 == score.index && $1 == score.index }
      let sum = a.count { $0 == score.index } + b.count { $0 == score.index }
      #expect(abs(score.dice - 2 * Double(shared) / Double(sum)) < 1e-12)
    }
  }
}
