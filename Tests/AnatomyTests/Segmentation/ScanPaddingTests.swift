import Imaging
import Testing

@testable import Anatomy

@Suite struct ScanPaddingTests {
  /// 60 voxels of one intensity, and 40 others from `first` on, a step of 1 each.
  private func scan(_ padding: Float, from first: Float) -> [Float] {
    (0..<100).map { $0 < 60 ? padding : first + Float($0 - 60) }
  }

  @Test func theLowestIntensityIsPaddingWhereMuchOfTheScanHasIt() {
    #expect(ScanPadding(of: scan(-2.5, from: -1)).value == -2.5)
    // Zeros and missing voxels after it, or before it, are no padding.
    #expect(ScanPadding(of: [0, .nan] + scan(-2.5, from: -1) + [.nan, 0]).value == -2.5)
  }

  @Test func whatIsNotLowestNegativeAndFrequentIsNone() {
    #expect(ScanPadding(of: scan(0, from: 1)).value == 0)
    #expect(ScanPadding(of: scan(3, from: 4)).value == 0)
    // Zeros within negative intensities are what they were.
    #expect(ScanPadding(of: scan(0, from: -20)).value == 0)
    #expect(ScanPadding(of: (0..<100).map { Float($0 - 50) }).value == 0)
    #expect(ScanPadding(of: [-.infinity, -.infinity, 1]).value == 0)
    #expect(ScanPadding(of: []).value == 0)
  }

  @Test func paddingBecomesZeroAndModelsAreToldAsTheScanWas() {
    let voxels = scan(-2.5, from: -1)
    let shifted = ScanPadding(of: voxels).removed(
      from: Volume(grid: Fixture.grid(10, 10, 1), voxels: voxels))
    #expect(shifted.voxels == scan(0, from: 1.5))
    let model = IntensityModel(
      groups: [[.init(weight: 1, mean: 4, variance: 2)]], zeroShare: [0.1],
      scale: IntensityScale(low: 0, high: 10, startsAtZero: false), lanes: 8)
    let told = model.shifted(by: -2.5)
    #expect(told.moments(of: 0).mean == 1.5 && told.moments(of: 0).variance == 2)
    #expect(abs(told.density(group: 0, 2) - model.density(group: 0, 4.5)) < 1e-12)
  }

  @Test func factorsMeanSomethingFromTrueZeroOnly() throws {
    let voxels = (0..<1000).map { Float($0) }
    #expect(try #require(IntensityScale(voxels)).startsAtZero)
    #expect(try !#require(IntensityScale(voxels, isShifted: true)).startsAtZero)
    #expect(try !#require(IntensityScale(voxels.map { $0 - 500 })).startsAtZero)
  }
}
