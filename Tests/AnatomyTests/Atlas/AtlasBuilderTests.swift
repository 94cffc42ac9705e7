import Foundation
import Imaging
import Parallel
import Testing

@testable import Anatomy

/// Whole atlases, of organs that are no head.
@Suite struct AtlasBuilderTests {
  private func request(_ subjects: Int) -> AtlasRequest {
    AtlasRequest(paths: (0..<subjects).map { "subject-\($0)" }) { path in
      Fixture.organs(Int(path.dropFirst("subject-".count)) ?? 0)
    }
  }

  @Test func anotherOrganIsBuiltAndSegmented() throws {
    let (atlas, reports) = try request(6).build()
    #expect(atlas.prior.table.labels.map(\.index) == [0, 200, 301])
    #expect(atlas.prior.table.groups.count == 3)
    #expect(atlas.prior.grid == Fixture.organs(0).grid)
    #expect(!atlas.origin.mirrored)
    #expect(reports.count == 6 && reports.allSatisfy { $0.absent.isEmpty && $0.rms < 3 })
    #expect(atlas.volumes[1].count == 6 && atlas.volumes[1].deviation > 0)

    let truth = Fixture.organs(9)
    let segmenter = try Segmenter(prior: atlas.prior)
    for (seed, intensities) in [[0: 20, 200: 120, 301: 70], [0: 100, 200: 30, 301: 60]].enumerated()
    {
      let scan = Fixture.scan(
        of: truth, intensities.reduce(into: [:]) { $0[Int32($1.key)] = Float($1.value) }, noise: 8,
        seed: UInt64(seed))
      let result = try segmenter.segment(scan, path: "organs")
      for label: Int32 in [200, 301] {
        #expect(Fixture.dice(result.labels, truth, label: label) > 0.9, "\(seed), label \(label)")
      }
    }
  }

  @Test func orderAndThreadsDoNotMatter() throws {
    let scratch = try Scratch()
    let threads = Parallel.threads
    defer { Parallel.threads = threads }
    func bytes(_ name: String, reversed: Bool, threads: Int) throws -> [String: Data] {
      Parallel.threads = threads
      var request = request(3)
      if reversed {
        request = AtlasRequest(paths: request.paths.reversed(), read: request.read)
      }
      request.settings.refinements = 1
      try AtlasFiles.write(
        try request.build().atlas, to: scratch.path(name), license: "CC0", generator: "segpipe")
      let folder = scratch.path(name)
      let files = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
      return files.reduce(into: [:]) {
        $0[$1] = FileManager.default.contents(atPath: folder + "/" + $1)
      }
    }
    let one = try bytes("one", reversed: false, threads: 1)
    #expect(one.count >= 5)
    #expect(one == (try bytes("three", reversed: true, threads: 3)))
  }

  @Test func gridsKeepTheirCentreAndAxes() throws {
    let own = try AtlasGrid.grid(extents: nil, spacing: 2, around: .standardHead)
    #expect(own.extents == SIMD3(80, 96, 112))
    #expect(norm(own.centre - Grid.standardHead.centre) < 1e-9)
    #expect(Orientation(closestTo: own.affine).name == "LIA")
    let asked = try AtlasGrid.grid(
      extents: SIMD3(10, 20, 30), spacing: nil, around: Fixture.grid(7, 8, 9, spacing: 1.5))
    #expect(asked.extents == SIMD3(10, 20, 30))
    #expect(asked.spacing == SIMD3(repeating: 1.5))
    #expect(norm(asked.centre) < 1e-9)
    // A prior can be trained on extents that nobody asked for.
    let padded = try AtlasGrid.grid(
      extents: nil, spacing: nil, around: Fixture.grid(63, 55, 59, spacing: 3))
    #expect(padded.extents == SIMD3(64, 64, 64))
    #expect(norm(padded.centre) < 1e-9)
    #expect(throws: AnatomyError.badGrid(extents: SIMD3(1, 1, 2), expected: 8...1024)) {
      try AtlasGrid.grid(extents: nil, spacing: 20, around: Fixture.grid(20, 20, 30, spacing: 1))
    }
  }

  /// Of maps of two organs, the first is a slab in coarse voxels that holds one of them.
  @Test func gridsHoldWhatIsLabelledInEveryMap() throws {
    func map(_ grid: Grid) -> Volume<Int32> {
      Fixture.map(grid) { p in
        if Fixture.inside(p, centre: SIMD3(-15, 0, 0), radii: SIMD3(repeating: 12)) { return 4 }
        return Fixture.inside(p, centre: SIMD3(15, 0, 40), radii: SIMD3(repeating: 12)) ? 5 : 0
      }
    }
    let slab = Fixture.grid(20, 18, 9, spacing: 4)
    let whole = Grid(
      extents: SIMD3(48, 40, 64),
      affine: Affine(
        columns: (SIMD3(2, 0, 0), SIMD3(0, 2, 0), SIMD3(0, 0, 2)), translation: SIMD3(-47, -39, -40)
      ))
    var request = AtlasRequest(paths: ["a", "b", "c", "d"]) { map($0 == "a" ? slab : whole) }
    request.settings.refinements = 0
    let (atlas, reports) = try request.build()
    let grid = atlas.prior.grid
    #expect(grid.spacing == SIMD3(repeating: 2))
    #expect((0..<3).allSatisfy { grid.extents[$0] % 16 == 0 })
    #expect(reports.allSatisfy { $0.clipped == 0 })
    #expect(atlas.fadedStructures.isEmpty)
    // Where only the slab's box is asked for, the other organ fades, and it is told.
    request.settings.extents = SIMD3(20, 18, 9)
    let (narrow, narrowed) = try request.build()
    #expect(narrowed.contains { $0.clipped > 0.05 })
    #expect(narrow.fadedStructures.contains { $0.name == atlas.prior.table.labels[2].name })
  }

  /// Of organs without anything around them, background weighs as much as they do: they keep their volume.
  @Test func refinementKeepsVolumes() throws {
    var request = request(6)
    for rounds in 0...2 {
      request.settings.refinements = rounds
      let atlas = try request.build().atlas
      var sums = [Double](repeating: 0, count: atlas.prior.table.count)
      for entry in atlas.prior.entries { sums[Int(entry >> 8)] += Double(entry & 255) / 255 }
      for label in 1..<sums.count {
        let held = sums[label] * atlas.prior.grid.voxelVolume / atlas.volumes[label].mean
        #expect(
          abs(held - 1) < (rounds < 2 ? 0.05 : 0.08), "\(rounds) rounds: \(held) of label \(label)")
      }
    }
  }

  /// A list of all structures that a program knows is a table, of which maps hold a few.
  @Test func longTablesAreCutToWhatMapsHold() throws {
    var request = request(2)
    request.table = try LabelTable(
      labels: (1...400).map { Fixture.label($0, partner: $0 == 301 ? 7 : $0 == 7 ? 301 : nil) })
    var chosen: [AtlasTable] = []
    request.chose = { chosen.append($0) }
    #expect(try request.build().atlas.prior.table.labels.map(\.index) == [0, 200, 301])
    #expect(chosen.map(\.unused) == [398])
  }

  @Test func unknownAndMissingContentIsRefused() throws {
    var request = request(2)
    request.table = try Fixture.table(Fixture.label(200))
    #expect(throws: AnatomyError.unknownLabels(path: "subject-0", values: [301])) {
      try request.build()
    }
    let empty = AtlasRequest(paths: ["e"]) { _ in
      Volume(grid: Fixture.grid(8, 8, 8), repeating: Int32(0))
    }
    #expect(throws: AnatomyError.emptyMap(path: "e")) { try empty.build() }
    request.table = nil
    request.settings.extents = SIMD3(100, 100, 100)
    request.settings.mostBytes = 1_000_000
    #expect(throws: ImagingError.outOfMemory(bytes: 9_000_000)) { try request.build() }
    // So is what the maps' own grid needs.
    request.settings.extents = nil
    request.settings.mostBytes = 1000
    #expect(throws: ImagingError.self) { try request.build() }
  }

  // MARK: Mirror images

  /// Balls on both sides; each subject's sizes differ from side to side at random, around `left` and `right`.
  private func pairs(left: Double, right: Double) throws -> AtlasRequest {
    var request = AtlasRequest(paths: (0..<4).map { "s\($0)" }) { path in
      let random = CounterRandom(seed: 31, stream: UInt64(path.dropFirst()) ?? 0)
      let vary = (0..<4).map { 2 * random.uniform($0) - 1 }
      return Fixture.map(Fixture.grid(48, 36, 36, spacing: 2)) { p in
        if Fixture.inside(
          p, centre: SIMD3(-22, 3 * vary[2], 0), radii: SIMD3(repeating: left + 3 * vary[0]))
        {
          return 4
        }
        let isRight = Fixture.inside(
          p, centre: SIMD3(22, 3 * vary[3], 0), radii: SIMD3(repeating: right + 3 * vary[1]))
        return isRight ? 5 : 0
      }
    }
    request.table = try Fixture.table(
      Fixture.label(4, group: "organ", partner: 5), Fixture.label(5, group: "organ", partner: 4))
    request.settings.refinements = 0
    return request
  }

  /// A map and its mirror image, for want of a table with sides: their mean lies in a plane.
  @Test func aMirroredMapFlattensNothing() throws {
    let request = AtlasRequest(paths: ["plain", "mirrored"]) { path in
      Fixture.map(Fixture.grid(60, 48, 48, spacing: 2)) { p in
        let side = path == "plain" ? 1.0 : -1
        for organ in 0..<7 {
          let angle = Double(organ) * 0.9
          let centre = SIMD3(side * (Double(organ) * 10 - 25), 25 * cos(angle), 25 * sin(angle))
          if Fixture.inside(p, centre: centre, radii: SIMD3(repeating: 9)) {
            return Int32(200 + organ)
          }
        }
        return 0
      }
    }
    let (atlas, reports) = try request.build()
    #expect(reports.allSatisfy { $0.clipped < 0.01 })
    for volume in atlas.volumes.dropFirst() {
      // 4/3 pi 9^3 mm3.
      #expect(volume.count == 2 && volume.least > 2000 && volume.most < 4500, "\(volume)")
    }
  }

  @Test func fewOfManyAreSpreadOverThem() {
    #expect(AtlasBuilder.spread(Array(0..<5), most: 5) == [0, 1, 2, 3, 4])
    #expect(AtlasBuilder.spread(Array(0..<10), most: 4) == [0, 2, 5, 7])
  }

  @Test func mirrorImagesAreKeptWhereTheyHelp() throws {
    #expect(try pairs(left: 14, right: 14).build().atlas.origin.mirrored)
    #expect(!(try pairs(left: 18, right: 8).build().atlas.origin.mirrored))
    var asked = try pairs(left: 18, right: 8)
    asked.settings.mirrored = true
    #expect(try asked.build().atlas.origin.mirrored)
  }
}
