import Foundation
import Imaging
import Testing

@testable import Anatomy

@Suite struct EntropyTests {
  /// Where a scan is stripped, skin and bone count as background, and the entropy is that of what is put out: air is
  /// certain, whatever might have lain there.
  @Test(arguments: [ScanKind.whole, .stripped])
  func entropyIsOfThePosteriorThatIsPutOut(_ kind: ScanKind) throws {
    let grid = Fixture.grid(16, 12, 10)
    let table = try Fixture.table(
      Fixture.label(2, mapping: 2), Fixture.label(3, mapping: 8), Fixture.label(507, mapping: 5),
      Fixture.label(515, mapping: 4))
    let prior = Fixture.prior(grid, table) { label, voxel in
      let isInside = (4..<12).contains(voxel.x)
      return switch label {
      case 0: isInside ? 0 : 85
      case 1: isInside ? 130 : 0
      case 2: isInside ? 125 : 0
      default: isInside ? 0 : 85
      }
    }
    var settings = Segmenter.Settings()
    (settings.posteriorLevels, settings.keepsEntropy) = (65535, true)
    let segmenter = try Segmenter(prior: prior, settings: settings)
    let fit = Fixture.fit(
      grid, means: [2, 60, 75, 80, 90], variance: 200, scale: IntensityScale(low: 0, high: 200),
      lanes: segmenter.coarse.mm2.lanes, kind: kind)
    let scan = Volume(
      grid: grid,
      voxels: Fixture.voxels(of: grid).map { voxel -> Float in
        (4..<12).contains(voxel.x) ? 60 + Float(voxel.y) : kind == .stripped ? 0 : 84
      })
    let result = try segmenter.label(scan, fit)
    let posteriors = try #require(result.posteriors)
    let entropies = try #require(result.entropy)
    let channels = (0..<table.count).map { posteriors.channel($0) { Int($0) } }
    for (i, voxel) in Fixture.voxels(of: grid).enumerated() {
      let shares = channels.map { Double($0[i]) / 65535 }
      let own = shares.reduce(0.0) { $1 > 0 ? $0 - $1 * log($1) : $0 }
      #expect(abs(own - Double(entropies[i])) < 1e-3, "\(voxel)")
      let isInside = (4..<12).contains(voxel.x)
      #expect((entropies[i] > 0.1) == (isInside || kind == .whole), "\(voxel): \(entropies[i])")
    }
  }
}
