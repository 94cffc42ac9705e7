import Foundation
import Imaging
import Testing

@testable import Anatomy

/// Intensities that scans share, where padding has been taken off some of them.
@Suite struct ScanObservationsTests {
  private let grid = Fixture.grid(4, 4, 4)
  private let scale = IntensityScale(low: 0, high: 100)

  private func table() throws -> LabelTable { try Fixture.table(Fixture.label(1)) }

  /// A scan whose own intensities are these and the padding, which has been taken off.
  private func fit(padding: Float, mean: Double) -> ObservedFit {
    let model = IntensityModel(
      groups: [0, mean].map { [IntensityModel.Component(weight: 1, mean: $0, variance: 9)] },
      zeroShare: [0.9, 0.01], scale: scale, lanes: 16)
    var histogram = GroupHistogram(lanes: 16)
    histogram[Int(scale.row(Float(mean))), 1] = 1000
    histogram[Int(scale.row(Float(mean + 4))), 1] = 500
    histogram[Int(IntensityScale.zero), 0] = 500
    return ObservedFit(
      half: Volume(grid: grid, voxels: (0..<grid.count).map { 1 + Float($0) }), padding: padding,
      model: model, histogram: histogram)
  }

  /// The most probable intensity under label 1, in what `half` holds.
  private func peak(_ observation: ScanObservation, _ scale: IntensityScale) throws -> Float {
    let values = try table().labels.indices.map { label in
      (1..<IntensityScale.rows - 1).max {
        observation.table.values[$0 * 16 + label] < observation.table.values[$1 * 16 + label]
      }
    }
    return scale.intensity(try #require(values[1]))
  }

  @Test func knownIntensitiesAreInTheScansOwnUnits() throws {
    let path = NSTemporaryDirectory() + "known-\(UUID().uuidString).json"
    defer { try? FileManager.default.removeItem(atPath: path) }
    let tissues = try table().groups.map {
      """
      {"Group": "\($0)", "ZeroShare": 0.5, "Gaussians": [{"Mean": 30, "Deviation": 3, "Weight": 1}]}
      """
    }
    try "{\"IntensityModel\": [\(tissues.joined(separator: ", "))]}".write(
      toFile: path, atomically: true, encoding: .utf8)
    let file = try IntensityFile(path, for: try table())
    for padding in [Float(0), -20] {
      var observations = ScanObservations(.scan, known: file)
      observations.add(fit(padding: padding, mean: 60), name: "a")
      let all = observations.all(try table())
      // 30 in a file's units is 50 above padding of -20.
      let found = try peak(all[0].observation, scale)
      #expect(abs(found - (30 - padding)) < 0.5, "\(padding): \(found)")
    }
  }

  @Test func scansOfOneScaleShareItWhateverTheirPadding() throws {
    // Both have tissue at 40: one lies on zeros, the other on -20.
    var observations = ScanObservations(.dataSet)
    observations.add(fit(padding: 0, mean: 40), name: "a")
    observations.add(fit(padding: -20, mean: 60), name: "b")
    let all = observations.all(try table())
    let wide = IntensityScale(low: -20, high: 100)
    #expect(abs(try peak(all[0].observation, wide) - 41.3) < 1)
    #expect(abs(try peak(all[1].observation, wide.shifted(by: 20)) - 61.3) < 1)
  }
}
