import Foundation
import Imaging
import Networks
import Testing

@testable import Anatomy

@Suite struct CentroidAlignmentTests {
  private let known = Affine(rows: [
    [1.1, 0.05, -0.02, 12], [-0.1, 0.95, 0.07, -30], [0.03, -0.04, 1.04, 5],
  ])

  private func points(_ count: Int) -> [SIMD3<Double>?] {
    let random = CounterRandom(seed: 8, stream: 0)
    return (0..<count).map { i in
      SIMD3(random.uniform(3 * i), random.uniform(3 * i + 1), random.uniform(3 * i + 2)) * 100
    }
  }

  /// A centroid at the wrong structure would not mirror its partner's.
  @Test func everyStructureOfTheHeadHasItsCentroid() throws {
    let all = CentroidAlignment.mni305
    #expect(Set(all.keys) == Set(StructureSet.head29.structures.map(\.index)))
    for pair in HeadStructures.pairs {
      let (left, right) = (try #require(all[pair.left]), try #require(all[pair.right]))
      #expect(left.x < 0 && right.x > 0, "\(pair)")
      let difference = left * SIMD3(-1, 1, 1) - right
      #expect((difference * difference).sum().squareRoot() < 2.5, "\(pair)")
    }
    for middle in HeadStructures.middle { #expect(abs(try #require(all[middle.value]).x) < 1) }
  }

  @Test func aKnownAffineIsFound() {
    var from = points(12)
    var to = from.map { $0.map { known($0) } }
    from[3] = nil
    to[7] = nil
    let fit = CentroidAlignment.fit(from, to: to)
    #expect(fit.affine.largestDifference(from: known, over: SIMD3(200, 200, 200)) < 1e-8)
    #expect(fit.rms < 1e-9)
  }

  /// As the mean of maps and of their mirror images is.
  @Test func targetsInAPlaneFlattenNothing() {
    let from = points(12)
    let flat = from.map { $0.map { SIMD3(0.02 * $0.x, $0.y, $0.z) } }
    let found = CentroidAlignment.fit(from, to: flat).affine.columnNorms
    #expect(found.min() >= 0.5 && found.max() <= 2)
  }

  @Test func whatIsLeftIsReported() {
    let from = points(40)
    // One structure out of forty is 20 mm off: it draws the fit a little and stands out of it.
    var to = from
    to[5] = to[5].map { $0 + SIMD3(20, 0, 0) }
    let fit = CentroidAlignment.fit(from, to: to)
    #expect(fit.rms > 2 && fit.rms < 20 / 40.0.squareRoot())
  }

  @Test func fewPairsFitOnlyWhatTheyDetermine() {
    #expect(
      CentroidAlignment.fit([nil, SIMD3(1, 2, 3)], to: [SIMD3(0, 0, 0), nil]).affine == .identity)
    let one = CentroidAlignment.fit([SIMD3(1, 2, 3)], to: [SIMD3(5, 5, 5)])
    #expect(one.affine.columns == Affine.identity.columns)
    #expect(norm(one.affine(SIMD3(1, 2, 3)) - SIMD3(5, 5, 5)) < 1e-12)
    let two = CentroidAlignment.fit(
      [SIMD3(0, 0, 0), SIMD3(10, 0, 0)], to: [SIMD3(1, 1, 1), SIMD3(21, 1, 1)])
    #expect(abs(two.affine.columns.1.y - 2) < 1e-12)
    #expect(two.rms < 1e-12)
  }

  /// A tumour lies anywhere in its organ: how far from the organ's centre tells nothing of its size.
  @Test func mobileStructuresTellNoScale() {
    for (direction, distance) in [
      (SIMD3(1.0, 0, 0), 30.0), (SIMD3(0, -1, 0), 20), (SIMD3(0, 0, 1), 40),
    ] {
      let fit = CentroidAlignment.fit(
        [SIMD3(2, 2, 2), SIMD3(2, 2, 2) + distance * direction], to: [.zero, SIMD3(4, 4, 4)])
      #expect(fit.affine.columns == Affine.identity.columns)
    }
    let tiny = CentroidAlignment.fit([.zero, SIMD3(10, 0, 0)], to: [.zero, SIMD3(90, 0, 0)])
    #expect(tiny.affine.columns.0.x == 2)
  }

  @Test func aPlaneDeterminesNoThirdAxis() {
    let flat = points(10).map { $0.map { SIMD3($0.x, $0.y, 4) } }
    let fit = CentroidAlignment.fit(flat, to: flat.map { $0.map { $0 * 1.5 } })
    #expect(abs(fit.affine.determinant - 1.5 * 1.5 * 1.5) < 1e-6)
  }

  /// Vertebrae lie in a row: how they differ from side to side between maps is no third axis.
  @Test func aRowOfStructuresIsNotFlattened() {
    var random = Philox(seed: 3)
    // 18 mm apart, on an arc.
    let mean = (0..<7).map { i -> SIMD3<Double> in
      let bend = Double((i - 3) * (i - 3))
      return SIMD3(0, 0.3 * bend, 18 * Double(i))
    }
    func row() -> [SIMD3<Double>?] {
      mean.map { place -> SIMD3<Double> in
        let (x, y, z) = (random.normal(), random.normal(), random.normal())
        return place + SIMD3(1.5 * Double(x), Double(y), Double(z))
      }
    }
    for _ in 0..<12 {
      let fit = CentroidAlignment.fit(row(), to: mean)
      let norms = fit.affine.columnNorms
      #expect(norms.min() > 0.9 && norms.max() < 1.1 && fit.affine.determinant > 0, "\(norms)")
    }
  }

  @Test func headsAreKnownByTheirStructures() throws {
    let few = try LabelTable(labels: (1...7).map { Fixture.label($0) })
    #expect(CentroidAlignment.standardTargets(for: few) == nil)
    // Organs numbered from 1 on are none: 13 and 15 as in sets of the abdomen, 104 of the whole body.
    for count in [13, 15, 18, 43, 60, 104] {
      let organs = try LabelTable(labels: (1...Int32(count)).map { Fixture.label($0) })
      #expect(CentroidAlignment.standardTargets(for: organs) == nil, "\(count)")
    }
    let head = try LabelTable(labels: [2, 3, 4, 7, 8, 41, 42, 43, 99].map { Fixture.label($0) })
    let targets = try #require(CentroidAlignment.standardTargets(for: head))
    #expect(targets.count == head.count)
    #expect(targets[0] == nil && targets[9] == nil)
    #expect(targets[1] == SIMD3(-27.24, -22.21, 18.55))
  }
}
