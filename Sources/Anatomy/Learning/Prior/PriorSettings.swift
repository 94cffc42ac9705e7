import Foundation
import Networks

/// How the prior auto-encoder is built and trained.
package struct PriorSettings: TrainingSettings {
  /// Networks that can be trained.
  package enum Architecture: String, Sendable, Codable, CaseIterable {
    /// A decoder that warps the location prior and adds residual logits (`WarpingAutoEncoder`).
    case warping = "default"
    /// Five levels of convolutions that end in logits for every voxel (`LabelAutoEncoder`).
    case r1 = "R1"
  }

  package var architecture = Architecture.warping
  /// Latent dimensions: of each cell of the coarsest level, or, for R1, of all.
  package var latentSize: Int
  /// Weight of the divergence; 1 is the bound itself.
  package var beta = 1.0
  /// Weight of voxels whose label only frames the structures of interest (background, skull, skin),
  /// in training the warping network: they are many, and vary much in ways that nobody asks for.
  package var surroundings = 0.5
  package var steps = 4000
  package var rate = 5e-4
  /// Samples of z for each label map and step.
  package var samples = 1
  package var seed: UInt64 = 1
  package var augmentation = MapAugmentation.Settings()
  /// Steps between two reports on label maps that are only looked at.
  package var evaluationInterval = 250
  package var patience: Int?

  package init(architecture: Architecture = .warping) {
    self.architecture = architecture
    latentSize = architecture == .r1 ? 128 : 8
  }

  /// What `latentSize` may be.
  package static let latentSizes = 1...4096

  /// Dice that counts as a gain.
  package static let leastGain = 0.001

  /// Learning rate by step.
  package var schedule: LearningRateSchedule {
    LearningRateSchedule(
      peak: rate, warmup: min(300, steps / 10), total: steps, last: rate / 100)
  }

  /// The warping network for an atlas. Throws `NetworkError.invalidShape`.
  package func shape(for prior: LocationPrior) throws -> WarpingShape {
    try .standard(
      labels: prior.table.count, extents: prior.grid.networkExtents, latentChannels: latentSize)
  }

  /// Bytes that training takes, about: the network, the location prior as it reads it, the maps with
  /// their mirror images, and variations under way.
  ///
  /// - Throws: `NetworkError.invalidShape`.
  package func trainingBytes(for prior: LocationPrior, maps: Int) throws -> Int {
    let images = prior.table.hasPartners ? 2 : 1
    let shared = prior.grid.count * (maps * images + Self.bytesOfVariations)
    switch architecture {
    case .warping:
      let network = try shape(for: prior).trainingBytes
      return network + shared + prior.grid.count * Self.bytesOfPrior
    case .r1:
      return try r1Shape(for: prior).trainingBytes + shared
        + prior.grid.count * prior.table.count
    }
  }

  /// Of each voxel.
  private static let bytesOfVariations = 8
  private static let bytesOfPrior = 36

  private func r1Shape(for prior: LocationPrior) throws -> AutoEncoderShape {
    let r1 = try AutoEncoderShape.r1(
      labels: prior.table.count, extents: prior.grid.networkExtents)
    return try AutoEncoderShape(
      labels: r1.labels, extents: r1.extents, latent: latentSize,
      encoderChannels: r1.encoderChannels, decoderChannels: r1.decoderChannels)
  }

  /// The network for an atlas, its weights zero. Throws `NetworkError`.
  package func network(
    for prior: LocationPrior, purpose: LabelAutoEncoder.Purpose
  ) throws -> any LabelModel {
    switch architecture {
    case .warping:
      let model = try WarpingAutoEncoder(shape(for: prior), prior: prior.bytes, for: purpose)
      model.labelWeights = prior.table.isOfInterest.map { $0 ? 1 : Float(surroundings) }
      return model
    case .r1:
      return FixedPriorAutoEncoder(
        try LabelAutoEncoder(r1Shape(for: prior), for: purpose), prior: try prior.logarithms())
    }
  }
}

extension LocationPrior {
  /// The logarithm of the prior, with `floor` added to every probability, kept where a label is
  /// possible nearby. Throws `NetworkError.outOfMemory`.
  package func logarithms(floor: Float = 1e-4) throws -> LabelPrior {
    let (count, voxels) = (table.count, grid.count)
    let (normal, least) = (1 + floor * Float(count), log(floor))
    return try LabelPrior(voxels: voxels, labels: count, threshold: least / 2) { tile, values in
      for index in values.indices { values[index] = least }
      for i in 0..<min(LabelPrior.tile, voxels - tile * LabelPrior.tile) {
        let voxel = tile * LabelPrior.tile + i
        for entry in entries[Int(starts[voxel])..<Int(starts[voxel + 1])] {
          values[Int(entry >> 8) * LabelPrior.tile + i] = log(
            (Float(entry & 255) / 255 + floor) / normal)
        }
      }
    }
  }
}
