import Foundation
import Imaging
import Testing

@testable import Anatomy

/// What is told of samples, on maps whose volumes are known.
@Suite struct SampleStatisticsTests {
  private static let grid = Fixture.grid(10, 10, 10, spacing: 2)

  private func space() throws -> AtlasSpace {
    AtlasSpace(
      table: try Fixture.table(Fixture.label(1), Fixture.label(2), Fixture.label(3)),
      grid: Self.grid, targets: [nil, nil, nil, nil])
  }

  /// So many voxels of labels 1 and 2, the rest background.
  private func labels(_ first: Int, _ second: Int) -> [UInt8] {
    (0..<1000).map { $0 < first ? 1 : $0 < first + second ? 2 : 0 }
  }

  private func sample(_ first: Int, _ second: Int, draws: Int = 1) -> AnatomySampler.Sample {
    let labels = labels(first, second)
    return AnatomySampler.Sample(
      labels: labels, volumes: LabelVolumes.of(labels, labels: 4, grid: Self.grid), draws: draws)
  }

  @Test func volumesOfMapsWithWhatTheyMiss() {
    var channels = labels(100, 20)
    channels[999] = ChannelMap.missing
    let volumes = LabelVolumes.of(channels, labels: 4, grid: Self.grid)
    #expect(volumes == [879 * 8, 800, 160, 0])
  }

  @Test func rangesSpreadsAndPairs() throws {
    let training = TrainingVolumes(
      maps: 4,
      labels: [
        VolumeStatistics(),
        VolumeStatistics(count: 4, mean: 800, deviation: 80, least: 720, most: 880),
        // One training map lacks it.
        VolumeStatistics(count: 3, mean: 160, deviation: 0, least: 160, most: 160),
        VolumeStatistics(),
      ])
    var statistics = SampleStatistics(try space(), training: training)
    #expect(sample(100, 20).volumes == [7040, 800, 160, 0])
    statistics.add(sample(100, 20))
    statistics.add(sample(132, 20, draws: 3))
    statistics.add(sample(133, 0, draws: 10))
    statistics.add(sample(0, 20))
    let report = statistics.report
    #expect(report.samples == 4)
    #expect(report.withAllStructures == 0.75)
    // 133 voxels are 1064 mm3, above 880 and 20 %; none at all are below 720 less 20 %.
    #expect(report.withAllVolumesInside == 0.5)
    #expect(report.withAllVolumesInsideAtOnce == 0.25 && report.drawsPerSample == 3.75)
    let first = report.structures[0]
    #expect(first.present == 0.75 && first.presentInTraining == 1 && first.inside == 0.5)
    #expect(first.volume.least == 800 && first.volume.most == 1064)
    let spread = first.volume.deviation / 80
    #expect(first.spreadRatio == spread && report.leastSpreadRatio == spread)
    let second = report.structures[1]
    #expect(second.present == 0.75 && second.inside == 1 && second.spreadRatio == nil)
    #expect(report.structures[2].inside == nil)
    #expect(report.pairs == 3)
    let dice = [(2.0 * 100 / 232 + 0) / 2, (2.0 * 132 / 265 + 0) / 2, 0]
    #expect(abs((report.meanPairwiseDice ?? 0) - dice.reduce(0, +) / 3) < 1e-12)
  }

  @Test func withoutTrainingVolumesThereIsNoComparison() throws {
    var statistics = SampleStatistics(try space(), training: nil)
    statistics.add(sample(10, 10))
    let report = statistics.report
    #expect(report.withAllVolumesInside == nil && report.leastSpreadRatio == nil)
    #expect(report.meanPairwiseDice == nil && report.pairs == 0)
    #expect(report.structures.allSatisfy { $0.training == nil && $0.inside == nil })
  }

  @Test func statisticsSurviveTheirFile() throws {
    var statistics = VolumeStatistics()
    for volume in [3.0, 4, 8.5] { statistics.add(volume) }
    let volumes = TrainingVolumes(maps: 3, labels: [VolumeStatistics(), statistics])
    let data = try JSONEncoder().encode(volumes)
    let read = try JSONDecoder().decode(TrainingVolumes.self, from: data)
    #expect(read.maps == 3 && read.labels[0] == VolumeStatistics())
    #expect(read.labels[1].count == 3 && read.labels[1].least == 3 && read.labels[1].most == 8.5)
    #expect(abs(read.labels[1].deviation - statistics.deviation) < 1e-12)
    // No volume lies between these.
    let crossed = String(decoding: data, as: UTF8.self)
      .replacingOccurrences(of: "\"most\":8.5", with: "\"most\":1.5")
    #expect(throws: DecodingError.self) {
      try JSONDecoder().decode(TrainingVolumes.self, from: Data(crossed.utf8))
    }
  }
}
