import Imaging
import Networks

/// A scan and what an encoder of scans makes of it, on the atlas grid.
package struct EncodedScan: Sendable {
  package let name: String
  /// As the encoder sees it, averages over 2x2x2 voxels; not a number where nothing is known.
  package let scan: Volume<Float>
  /// The most probable labels at the mean of q, as values of the table.
  package let labels: Volume<Int32>
  /// The labels that the scan was drawn from; nil where none are known.
  package let known: Volume<Int32>?
  /// Agreement of both, mean over labels.
  package let dice: Double?
}

/// Shows what a trained encoder of scans makes of scans, before any refinement.
package struct EncoderExamples {
  private let atlas: Atlas
  private let segmenter: Segmenter
  private let reader: ScanReader
  private let simulation: SimulatedScan

  /// - Throws: `AnatomyError.otherAtlas`, `AnatomyError.otherPrior`, `NetworkError`.
  package init(_ encoder: EncoderFile, prior: PriorFile, atlas: Atlas) throws {
    self.atlas = atlas
    reader = try ScanReader(LearnedPrior(prior, encoder: encoder, atlas: atlas))
    segmenter = try Segmenter(prior: atlas.prior)
    simulation = SimulatedScan(atlas.prior)
  }

  /// A scan that is drawn from an aligned map; another number draws another one. Throws `NetworkError`.
  package func drawn(from map: AlignedMap, number: Int) throws -> EncodedScan {
    var random = Philox(seed: UInt64(number), .examples)
    let labels = ChannelMap.filled(map.channels, with: UInt8(atlas.prior.table.count))
    let (half, model) = simulation.drawing(labels, random: &random)
    return try example(map.name, half, model, known: map.channels)
  }

  /// A scan from a file, which is registered first.
  ///
  /// - Throws: as `Segmenter.segment`.
  package func read(_ scan: Volume<Float>, name: String, path: String) throws -> EncodedScan {
    let fit = try segmenter.observe(scan, path: path)
    return try example(name, fit.half, fit.model, known: nil)
  }

  private func example(
    _ name: String, _ half: Volume<Float>, _ model: IntensityModel, known: [UInt8]?
  ) throws -> EncodedScan {
    let (grid, table) = (atlas.prior.grid, atlas.prior.table)
    let latent = reader.encode(ScanObservation(half, model: model, table: table).exact)
    let labels = try reader.model.decode(latent.mean)
    let values = table.labels.map(\.index)
    func volume(_ channels: [UInt8]) -> Volume<Int32> {
      Volume(grid: grid, voxels: ChannelMap.filled(channels, with: 0).map { values[Int($0)] })
    }
    return EncodedScan(
      name: name,
      scan: Resampler.linear(half, onto: grid, through: .identity, outside: .nan).volume(),
      labels: volume(labels), known: known.map(volume),
      dice: known.flatMap { LabelDice($0, labels, table: table).mean })
  }
}
