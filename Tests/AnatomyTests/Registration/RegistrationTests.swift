import Foundation
import Imaging
import Testing

@testable import Anatomy

@Suite struct RegistrationTests {
  /// A scan drawn from the prior without displacement, at a known pose.
  private func drawn(_ prior: LocationPrior, seed: UInt64, _ contrast: SyntheticContrast)
    -> SyntheticScan
  {
    var settings = SyntheticScan.Settings()
    settings.seed = seed
    settings.contrast = contrast
    (settings.shape, settings.detail, settings.turn) = (0.01, 0.01, 5)
    let grid = SyntheticScan.tiltedGrid(
      extents: SIMD3(70, 76, 66), spacing: 2, around: SIMD3(6, -8, 3))
    return SyntheticScan(prior, on: grid, settings: settings)
  }

  /// The largest distance of two maps over a box around the structures, mm of the atlas.
  private func distance(_ a: Affine, _ b: Affine) -> Double {
    let box = Fixture.grid(71, 81, 71)
    return (a * box.affine).largestDifference(from: b * box.affine, over: box.extents)
  }

  @Test func aKnownAffineIsFoundFromNearby() throws {
    let prior = try Fixture.bodyPrior()
    let scan = drawn(prior, seed: 2, .t1)
    let scale = try #require(IntensityScale(scan.scan.voxels))
    let coarse = ScanSamples(
      Pyramid.averaged(scan.scan, factors: SIMD3(repeating: 2)), scale: scale)
    let groups = GroupPrior(prior, factor: 2)
    var fit = AffineRegistration(.identity, samples: coarse, prior: groups)
    let start = (score: fit.score, distance: distance(fit.transform, scan.transform))
    fit.refine(samples: coarse, prior: groups, freedom: .similarity, iterations: 20)
    fit.refine(samples: coarse, prior: groups, freedom: .affine, iterations: 20)
    #expect(fit.score > start.score)
    let (fine, finer) = (ScanSamples(scan.scan, scale: scale), GroupPrior(prior, factor: 1))
    fit = AffineRegistration(fit.transform, samples: fine, prior: finer)
    fit.refine(samples: fine, prior: finer, freedom: .affine, iterations: 30)
    // Voxels of 2 mm; ellipsoids say little about turns, and the box's corners lie 64 mm out.
    let left = distance(fit.transform, scan.transform)
    #expect(left < 4 && left < start.distance / 2, "\(start.distance) mm, then \(left) mm")
  }

  @Test(arguments: [SyntheticContrast.t1, .t2])
  func scansOfAnyContrastAreFoundAndSegmented(_ contrast: SyntheticContrast) throws {
    let prior = try Fixture.bodyPrior()
    let scan = drawn(prior, seed: 3, contrast)
    let result = try Segmenter(prior: prior).segment(scan.scan, path: "drawn")
    for label: Int32 in [1, 2] {
      #expect(Fixture.dice(result.labels, scan.truth, label: label) > 0.9, "label \(label)")
    }
    #expect(result.labels.grid == scan.scan.grid)
  }

  /// Blocks that hold no voxel have no say in the bias field.
  @Test func missingPartsBendNoBiasField() throws {
    let prior = try Fixture.bodyPrior()
    let whole = drawn(prior, seed: 3, .t1)
    var cut = whole.scan
    let plane = cut.grid.extents.x * cut.grid.extents.y
    for voxel in 40 * plane..<cut.voxels.count { cut.voxels[voxel] = .nan }
    var settings = Segmenter.Settings()
    settings.transform = whole.transform
    let segmenter = try Segmenter(prior: prior, settings: settings)
    let strongest = try [whole.scan, cut].map {
      try segmenter.fit(PreparedScan($0), path: "drawn", progress: { _ in }, trace: { _ in })
        .bias.strongest
    }
    #expect(strongest[1] < 1.3 * strongest[0], "\(strongest)")
  }

  @Test func posesThatNoBodyHasAreRefused() {
    #expect(AffineRegistration.isPlausible(.identity))
    #expect(!AffineRegistration.isPlausible(Affine.identity.scaled(by: SIMD3(-1, 1, 1))))
    #expect(!AffineRegistration.isPlausible(Affine.identity.scaled(by: SIMD3(1, 1, 2))))
    #expect(!AffineRegistration.isPlausible(Affine.identity.scaled(by: SIMD3(0.5, 0.5, 0.5))))
  }
}
