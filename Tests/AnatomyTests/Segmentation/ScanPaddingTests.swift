import Foundation
import Imaging
import Testing

@testable import Anatomy

@Suite struct ScanPaddingTests {
  /// 240 voxels of one intensity, and 160 others from `first` on, a step of 1 each.
  private func scan(_ padding: Float, from first: Float) -> [Float] {
    (0..<400).map { $0 < 240 ? padding : first + Float($0 - 240) }
  }

  @Test func theLowestIntensityIsPaddingWhereMuchOfTheScanHasIt() {
    #expect(ScanPadding(of: scan(-2.5, from: -1)).value == -2.5)
    // Zeros and missing voxels after it, or before it, are no padding.
    #expect(ScanPadding(of: [0, .nan] + scan(-2.5, from: -1) + [.nan, 0]).value == -2.5)
    for padding in [Float(3), 1e-3, -1e-3] {
      #expect(ScanPadding(of: scan(padding, from: 4)).value == padding)
    }
  }

  /// Soft tissue has all rows of the scale, and its zero is no signal's.
  @Test func aCTIsKnownByItsAir() throws {
    func prepared(_ voxels: [Float]) -> PreparedScan {
      PreparedScan(Volume(grid: Fixture.grid(20, 20, 1), voxels: voxels))
    }
    let noisyAir = (0..<400).map { (i: Int) -> Float in
      i < 240 ? Float(i % 41) - 1020 : i < 360 ? Float(i - 300) : Float(i * 3)
    }
    // A tenth of the body, and more, is lungs.
    let thorax = (0..<400).map { (i: Int) -> Float in
      i < 240 ? -1000 : i < 270 ? Float(-850 - i % 20) : Float(i - 270)
    }
    for (voxels, range) in [
      (scan(-1024, from: 20), HounsfieldUnits.softTissue),
      (scan(-3024, from: 20), HounsfieldUnits.softTissue),
      (noisyAir, HounsfieldUnits.softTissue), (thorax, HounsfieldUnits.fromAir),
    ] {
      let ct = prepared(voxels)
      let scale = try ct.scale(path: "")
      let told = scale.shifted(by: ct.padding.value)
      #expect(!scale.startsAtZero && told.low == range.lowerBound && told.high == range.upperBound)
    }
    // Z-scores in thousandths, padded or in a mask, and other padding.
    let scores = (0..<160).map { Float($0 * 40 - 3000) }
    for (voxels, startsAtZero) in [
      (scan(-2.5, from: 20), true), (scan(10, from: 20), true),
      ([Float](repeating: -1000, count: 240) + (0..<160).map { Float($0 * 30 - 900) }, true),
      ([Float](repeating: 0, count: 240) + scores, true),
    ] {
      let mri = prepared(voxels)
      #expect(mri.padding.hounsfield == nil)
      #expect(try mri.scale(path: "").startsAtZero == startsAtZero)
    }
  }

  @Test func whatIsNotLowestAndFrequentIsNone() {
    #expect(ScanPadding(of: scan(0, from: 1)).value == 0)
    // Zeros within negative intensities are what they were.
    #expect(ScanPadding(of: scan(0, from: -20)).value == 0)
    #expect(ScanPadding(of: (0..<100).map { Float($0 - 50) }).value == 0)
    #expect(ScanPadding(of: [-.infinity, -.infinity, 1, 2, 3]).value == 0)
    #expect(ScanPadding(of: []).value == 0)
  }

  @Test func paddingBecomesZeroAndModelsAreToldAsTheScanWas() {
    let voxels = scan(-2.5, from: -1)
    let padding = ScanPadding(of: voxels)
    let shifted = padding.zeroed(Volume(grid: Fixture.grid(20, 20, 1), voxels: voxels))
    #expect(shifted.voxels == scan(0, from: 1.5))
    let model = IntensityModel(
      groups: [[.init(weight: 1, mean: 4, variance: 2)]], zeroShare: [0.1],
      scale: IntensityScale(low: 0, high: 10, startsAtZero: false), lanes: 8)
    let told = model.shifted(by: -2.5)
    #expect(told.moments(of: 0).mean == 1.5 && told.moments(of: 0).variance == 2)
    #expect(abs(told.density(group: 0, 2) - model.density(group: 0, 4.5)) < 1e-12)
  }

  /// What rings around zero, or is noise around it, is zero; what only reaches below zero is what it was.
  @Test func valuesAroundZeroAreZero() throws {
    func padded(_ around: (Int) -> Float) throws -> (before: [Float], after: PreparedScan) {
      let voxels = (0..<2000).map { $0 % 2 == 0 ? around($0) : Float(50 + $0 % 100) }
      return (voxels, PreparedScan(Volume(grid: Fixture.grid(20, 10, 10), voxels: voxels)))
    }
    for step in [Float(1e-6), 0.1] {
      let (before, after) = try padded { Float($0 % 20 - 10) * step }
      #expect(after.padding.value == 0)
      #expect(after.volume.voxels == before.map { $0 < 50 ? 0 : $0 })
      #expect(try after.scale(path: "").startsAtZero)
    }
    // Missing voxels stay so, and a few that undershoot are no tissue.
    let (_, ringing) = try padded { $0 == 0 ? .nan : $0 == 2 ? -30 : -0.5 }
    #expect(ringing.volume.voxels[0].isNaN && ringing.volume.voxels[2] == 0)
    // Fat and air of a CT, or half of all z-scores.
    let (before, ct) = try padded { Float($0 % 20 * -10) - 5 }
    #expect(ct.volume.voxels == before)
    #expect(try !ct.scale(path: "").startsAtZero)
  }

  /// Z-scores inside a mask, and those of a whole head with its air; noise around zero is not shifted.
  @Test func whatWasShiftedBelowZeroIsShiftedBack() throws {
    /// Every other voxel of one kind.
    func scan(_ even: (Int) -> Float, _ odd: (Int) -> Float) -> [Float] {
      (0..<2000).map { (i: Int) -> Float in i % 2 == 0 ? even(i) : odd(i) }
    }
    func prepared(_ voxels: [Float]) -> PreparedScan {
      PreparedScan(Volume(grid: Fixture.grid(20, 10, 10), voxels: voxels))
    }
    let inside = scan({ _ in 0 }, { Float($0 % 500) / 100 - 3 })
    let masked = prepared(inside)
    #expect(abs(masked.padding.value + 3) < 0.05)
    #expect(try masked.scale(path: "").startsAtZero)
    for (before, after) in zip(inside, masked.volume.voxels) {
      #expect(after >= 0 && (after == 0) == (before == 0))
      #expect(before == 0 || abs(after - (before + 3)) < 0.05)
    }
    // Air, and whole numbers above it, of which zero is one.
    let head = prepared(scan({ Float($0 % 5) - 100 }, { Float($0 % 301) - 96 }))
    #expect(abs(head.padding.value + 100) <= 1)
    #expect(try head.scale(path: "").startsAtZero)
    #expect(head.volume.voxels.allSatisfy { $0 > 0 && $0 < 310 })
    #expect(head.volume.voxels.contains { abs($0 - 100) <= 1 })
    // Noise of 8 % around zero beside tissue, and tissue that reaches a little below zero inside a mask.
    for voxels in [
      scan({ Float($0 % 49) - 24 }, { Float(50 + $0 % 200) }),
      scan({ _ in 0 }, { Float($0 % 200) - 20 }),
    ] {
      #expect(prepared(voxels).volume.voxels == voxels)
    }
  }

  /// Half of what rang around zero was negative, and has been set to zero.
  @Test func tailsBesideZerosAreZero() throws {
    func padded(_ around: (Int) -> Float) -> (before: [Float], after: PreparedScan) {
      let voxels = (0..<2000).map { $0 % 2 == 0 ? around($0 / 2) : Float(50 + $0 % 100) }
      return (voxels, PreparedScan(Volume(grid: Fixture.grid(20, 10, 10), voxels: voxels)))
    }
    // Tails that fall by powers of ten, the largest 1, and as many zeros.
    let (before, after) = padded { $0 % 4 == 0 ? pow(10, -Float($0 / 4 % 6)) : 0 }
    #expect(after.volume.voxels == before.map { $0 < 50 ? 0 : $0 })
    // Dark tissue beside zeros stays.
    let (dark, same) = padded { $0 % 4 == 0 ? 1 + Float($0 % 3) : 0 }
    #expect(same.volume.voxels == dark)
  }

  /// A brain among voxels that are no number, as statistical maps have them; a few of them are missing voxels.
  @Test func whatIsNoNumberAllAroundIsZero() throws {
    for (every, isPadding) in [(4, true), (50, false)] {
      let voxels = (0..<2000).map { $0 % every == 0 ? Float.nan : Float(50 + $0 % 100) }
      let prepared = PreparedScan(Volume(grid: Fixture.grid(20, 10, 10), voxels: voxels))
      let missing = prepared.volume.voxels.count { $0.isNaN }
      #expect(missing == (isPadding ? 0 : 40))
      #expect(prepared.volume.voxels.count { $0 == 0 } == (isPadding ? 500 : 0))
      #expect(zip(prepared.volume.voxels, voxels).allSatisfy { $1.isNaN || $0 == $1 })
    }
  }

  /// A percentile is one of the whole scan, whatever its extents.
  @Test func intensitiesOfAllPlanesCount() throws {
    // Every other column is padding, and there are more voxels than are looked at.
    let count = 1_048_576
    let voxels: [Float] = (0..<count).map { (i: Int) -> Float in
      i % 2 == 0 ? 0 : Float(1 + i % 199)
    }
    let scale = try #require(IntensityScale(voxels))
    #expect(scale.high > 190)
  }

  @Test func factorsMeanSomethingFromTrueZeroOnly() throws {
    let voxels = (0..<1000).map { Float($0) }
    #expect(try #require(IntensityScale(voxels)).startsAtZero)
    #expect(try !#require(IntensityScale(voxels.map { $0 - 500 })).startsAtZero)
  }
}
