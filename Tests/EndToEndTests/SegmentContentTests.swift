import Foundation
import Imaging
import Testing

/// Scans with something odd in their voxels.
@Suite struct SegmentContentTests {
  private struct Outcome {
    let result: Program.Result
    let labels: Volume<Int32>?
  }

  private func segment(
    _ options: String..., change: (inout Volume<Float>) -> Void
  ) throws -> Outcome {
    try Scratch.use { folder in
      var scan = TinyAtlas.scan()
      change(&scan)
      try ImageWriter.write(
        scan: scan, like: nil, to: folder + "/scan.nii", description: "test")
      let result = try Program.run(
        ["segment", folder + "/scan.nii", "-o", folder + "/seg.nii", "--atlas", TinyAtlas.folder]
          + options)
      let left = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
      guard left.contains("seg.nii") else {
        #expect(left == ["scan.nii"])
        return Outcome(result: result, labels: nil)
      }
      return Outcome(
        result: result, labels: try ImageReader.readLabels(folder + "/seg.nii").volume)
    }
  }

  /// Dice of the small structure.
  private func dice(_ labels: Volume<Int32>?) throws -> Double {
    let labels = try #require(labels)
    return TinyAtlas.dice(labels, TinyAtlas.labels(on: labels.grid), 2)
  }

  @Test func aConstantScanIsRefused() throws {
    let outcome = try segment { scan in
      for voxel in scan.voxels.indices { scan.voxels[voxel] = 7 }
    }
    #expect(outcome.result.status == 65)
    #expect(outcome.result.errors.contains("there is no contrast"))
    #expect(outcome.labels == nil)
    // Even by force there is nothing to go by.
    let forced = try segment("--force") { scan in
      for voxel in scan.voxels.indices { scan.voxels[voxel] = 7 }
    }
    #expect(forced.result.status == 65)
    #expect(forced.labels == nil)
  }

  @Test func structuresThatTheEdgeCutsAreDoubted() throws {
    let whole = try segment { _ in }
    #expect(!whole.result.errors.contains("warning"), "\(whole.result.errors)")
    try Scratch.use { folder in
      let lower = Grid(extents: SIMD3(48, 40, 24), affine: TinyAtlas.grid.affine)
      try ImageWriter.write(
        scan: TinyAtlas.scan(on: lower), like: nil, to: folder + "/scan.nii", description: "test")
      let cut = try Program.run(
        "segment", folder + "/scan.nii", "-o", folder + "/seg.nii", "--atlas", TinyAtlas.folder)
      #expect(cut.status == 0)
      #expect(
        cut.errors.contains("border-contact: structures meet the edge of the field of view over "),
        "\(cut.errors)")
    }
  }

  @Test func missingVoxelsAreLeftOut() throws {
    let few = try segment { scan in
      for voxel in stride(from: 0, to: scan.voxels.count, by: 50) { scan.voxels[voxel] = .nan }
      scan.voxels[1] = .infinity
    }
    #expect(few.result.status == 0)
    #expect(few.result.errors.contains("are not finite"))
    #expect(try dice(few.labels) > 0.95)
    let most = try segment { scan in
      for voxel in scan.voxels.indices where voxel % 5 < 3 { scan.voxels[voxel] = .nan }
    }
    #expect(most.result.status == 65)
    #expect(most.labels == nil)
  }

  /// Most of a scan that another program has masked is no number: told what to do, and read as zeros if asked to.
  @Test func masksOfNaNAreReadIfAskedTo() throws {
    func masked(by value: Float, _ option: String = "--force") throws -> Outcome {
      try segment(option) { scan in
        let labels = TinyAtlas.labels(on: scan.grid)
        for voxel in scan.voxels.indices where labels.voxels[voxel] == 0 {
          scan.voxels[voxel] = value
        }
      }
    }
    let refused = try masked(by: .nan, "--quiet")
    #expect(refused.result.status == 65)
    #expect(refused.result.errors.contains("%) are not finite: "), "\(refused.result.errors)")
    #expect(refused.result.errors.contains("set them to zero or use --force"))
    let (zeros, missing) = (try masked(by: 0), try masked(by: .nan))
    #expect(missing.result.status == 0, "\(missing.result.errors)")
    #expect(try #require(missing.labels).voxels == #require(zeros.labels).voxels)
  }

  /// No block of 12 mm is filled to a half.
  @Test func thinPiecesAreDoubted() throws {
    let thin = try segment { scan in
      let plane = scan.grid.extents.x * scan.grid.extents.y
      for voxel in scan.voxels.indices where voxel / plane % 4 != 0 { scan.voxels[voxel] = 0 }
    }
    #expect(thin.result.status == 0, "\(thin.result)")
    #expect(thin.result.errors.contains("WARN information"), "\(thin.result.errors)")
  }

  /// As resampling by splines leaves it: not one voxel is zero.
  @Test func valuesAroundZeroArePadding() throws {
    func padded(_ scan: inout Volume<Float>, _ value: (Int) -> Float) {
      let labels = TinyAtlas.labels(on: scan.grid)
      for voxel in scan.voxels.indices where labels.voxels[voxel] == 0 {
        scan.voxels[voxel] = value(voxel)
      }
    }
    let zeros = try segment { padded(&$0) { _ in 0 } }
    let ringing = try segment { padded(&$0) { Float($0 % 7 - 3) * 0.2 } }
    #expect(ringing.result.status == 0, "\(ringing.result.errors)")
    #expect(try #require(ringing.labels).voxels == #require(zeros.labels).voxels)
    #expect(try dice(ringing.labels) > 0.9)
  }

  @Test func oneHotVoxelChangesNothingElse() throws {
    let plain = try segment { _ in }
    let hot = try segment { $0[3, 3, 3] = 1e30 }
    #expect(hot.result.status == 0)
    let (a, b) = (try #require(plain.labels).voxels, try #require(hot.labels).voxels)
    #expect(zip(a, b).count { $0 != $1 } < a.count / 1000)
    #expect(try dice(plain.labels) > 0.95)
  }

  @Test func noiseFailsTheQualityChecks() throws {
    func noise(_ scan: inout Volume<Float>) {
      var uniforms = Uniforms(seed: 7)
      for voxel in scan.voxels.indices { scan.voxels[voxel] = uniforms.next() * Float(1 << 24) }
    }
    let loud = try segment { noise(&$0) }
    #expect(loud.result.errors.contains("FAIL information: "), "\(loud.result.errors)")
    let strict = try segment("--qc-strict") { noise(&$0) }
    #expect(strict.result.status == 65)
    #expect(strict.result.errors.contains("quality checks failed: "))
  }

  @Test func contrastsMayBeInvertedAndBiased() throws {
    let inverted = try segment { scan in
      for voxel in scan.voxels.indices { scan.voxels[voxel] = 200 - scan.voxels[voxel] }
    }
    #expect(inverted.result.status == 0)
    #expect(try dice(inverted.labels) > 0.9)
    let biased = try segment { scan in
      for voxel in scan.voxels.indices {
        let along = Float(voxel % scan.grid.extents.x) / Float(scan.grid.extents.x)
        scan.voxels[voxel] *= 0.75 + 0.5 * along
      }
    }
    #expect(try dice(biased.labels) > 0.9)
  }

  /// From afar a shrunken head explains some scans about as well, its scalp passing for cortex. Sizes are those of the
  /// scan, or of a smaller head; a ghost is a fainter head beside it, as those who moved leave one.
  @Test(
    .enabled(if: Places.hasShared && Places.hasHead, "needs ../shared/data and the head's atlas"),
    arguments: [
      ("contrasts/t2w_head.nii.gz", 1, .none), ("contrasts/t2w_head.nii.gz", 0.89, .none),
      ("contrasts/t2w_head.nii.gz", 1, .inverted), ("contrasts/t2w_head.nii.gz", 1, .ghosted),
      ("heads/t1_crop.nii.gz", 0.89, .none),
    ] as [(String, Double, HeadChange)])
  func aHeadIsNotTakenForABrain(name: String, size: Double, change: HeadChange) throws {
    let read = try ImageReader.readScan(Places.shared + "/" + name).volume
    let affine = read.grid.affine
    let sized = Affine(
      columns: (affine.columns.0 * size, affine.columns.1 * size, affine.columns.2 * size),
      translation: affine.translation)
    var scan = Volume(
      grid: Grid(extents: read.grid.extents, affine: sized), voxels: read.voxels)
    switch change {
    case .none: break
    case .inverted:
      // Air stays dark.
      let used = scan.voxels.filter { $0 > 0 }.sorted()
      let (low, high) = (used[used.count / 2], used[used.count * 199 / 200])
      for voxel in scan.voxels.indices where scan.voxels[voxel] > low {
        scan.voxels[voxel] = low + max(0, high - scan.voxels[voxel])
      }
    case .ghosted:
      let (width, rows) = (scan.grid.extents.x, scan.grid.extents.y)
      for voxel in scan.voxels.indices {
        let row = voxel / width % rows
        let source = voxel + ((row + rows - rows / 4) % rows - row) * width
        scan.voxels[voxel] += 0.15 * read.voxels[source]
      }
    }
    let found = try HeadSegmentation(scan)
    #expect(!found.result.errors.contains("FAIL"), "\(found.result.errors)")
    let labels = found.labels
    let thalami = labels.voxels.count { $0 == 10 || $0 == 49 }
    let millilitres =
      Double(thalami) * labels.grid.voxelVolume * 1e-3 / (size * size * size)
    // 13 to 15 ml; the right one alone has as much where the scalp is cortex.
    #expect((11..<19).contains(millilitres), "\(millilitres)")
  }

  /// Z-scores of all voxels make zeros around a stripped brain negative, and all alike.
  @Test(
    .enabled(if: Places.hasShared && Places.hasHead, "needs ../shared/data and the head's atlas"))
  func shiftedPaddingIsPadding() throws {
    let plain = try ImageReader.readScan(Places.shared + "/scans/OASIS_0009/scan.nii.gz").volume
    let shift = plain.voxels.reduce(0, +) / Float(plain.voxels.count)
    let scores = Volume(grid: plain.grid, voxels: plain.voxels.map { ($0 - shift) / 40 })
    func mean(_ notes: String) throws -> Double {
      let all = try JSONSerialization.jsonObject(with: Data(notes.utf8)) as? [String: Any]
      let tissues = all?["IntensityModel"] as? [[String: Any]] ?? []
      let white = tissues.first { $0["Group"] as? String == "white-matter" }
      let gaussians = try #require(white?["Gaussians"] as? [[String: Double]])
      return try gaussians.reduce(0) {
        $0 + (try #require($1["Weight"])) * (try #require($1["Mean"]))
      }
    }
    let (before, after) = (try HeadSegmentation(plain), try HeadSegmentation(scores))
    for found in [before, after] {
      #expect(found.notes.contains("\"stripped\""))
    }
    let brain = before.labels.voxels.count { $0 != 0 }
    let changed = zip(before.labels.voxels, after.labels.voxels).count { $0 != $1 }
    #expect(Double(changed) < 0.005 * Double(brain), "\(changed) of \(brain)")
    // Intensities are told as each scan has them.
    let (told, expected) = (try mean(after.notes), (try mean(before.notes) - Double(shift)) / 40)
    #expect(abs(told - expected) < 0.02, "\(told), \(expected)")
  }
}

/// What is done to a whole head before it is segmented.
enum HeadChange { case none, inverted, ghosted }
