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

  @Test func airOfACTHasNoTrueZero() throws {
    for (padding, isAir) in [(Float(-1024), true), (-3024, true), (-2.5, false), (10, false)] {
      let prepared = PreparedScan(
        Volume(grid: Fixture.grid(20, 20, 1), voxels: scan(padding, from: 20)))
      #expect(try prepared.scale(path: "").startsAtZero == !isAir)
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
    #expect(try !#require(IntensityScale(voxels, hasTrueZero: false)).startsAtZero)
    #expect(try !#require(IntensityScale(voxels.map { $0 - 500 })).startsAtZero)
  }
}
