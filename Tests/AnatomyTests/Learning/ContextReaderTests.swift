import Foundation
import Imaging
import Networks
import Testing

@testable import Anatomy

/// Label priors as a context changes them, against the formula at every voxel.
@Suite struct ContextReaderTests {
  private let grid = Fixture.grid(12, 10, 38)

  /// White matter, cortex and the ventricle of both sides, each possible everywhere.
  private func prior(_ table: LabelTable? = nil) throws -> LocationPrior {
    Fixture.prior(grid, try table ?? SmallHead.table()) { label, voxel in
      switch label {
      case 1: UInt8(60 + 5 * voxel.x)
      case 2: UInt8(90 - 5 * voxel.x)
      case 3: 55
      case 7: 50
      default: 0
      }
    }
  }

  private func atlas(_ prior: LocationPrior) -> Atlas {
    Atlas(
      name: "small", space: "none", prior: prior, volumes: [],
      origin: AtlasOrigin(maps: 1, mirrored: false, smoothing: 0, refinements: 0))
  }

  /// A table that pairs other labels makes other channels of the same atlas.
  @Test func otherPairsOfLabelsAreRefused() throws {
    let trained = atlas(try prior())
    let merge = SideMerge(trained.prior.table)
    let network = try ContextNetwork(
      ContextShape(labels: merge.count), extents: Extents(16, 16, 16), trains: false)
    let scratch = try Scratch()
    let path = scratch.path("context.safetensors")
    try ContextFile.write(
      network.parameters,
      ContextDescription(
        settings: ContextSettings(), shape: ContextShape(labels: merge.count), atlas: "small",
        atlasFingerprint: trained.fingerprint, maps: ["small"], steps: 1), to: path)
    let file = try ContextFile(path)
    _ = try ContextReader(file, atlas: trained)
    var labels = trained.prior.table.labels
    for i in labels.indices { labels[i].partner = nil }
    let unpaired = atlas(try prior(LabelTable(labels: labels)))
    #expect(unpaired.fingerprint == trained.fingerprint)
    #expect(
      throws: AnatomyError.otherAtlas(
        path: path, found: "of \(merge.count) labels, those of both sides as one",
        expected: "small of \(labels.count), by the partners in its table")
    ) { try ContextReader(file, atlas: unpaired) }
  }

  /// As many channels, made of other labels.
  @Test func asManyOtherPairsOfLabelsAreRefused() throws {
    let trained = atlas(try prior())
    let merge = SideMerge(trained.prior.table)
    let network = try ContextNetwork(
      ContextShape(labels: merge.count), extents: Extents(16, 16, 16), trains: false)
    let scratch = try Scratch()
    func file(_ digest: String?) throws -> ContextFile {
      let path = scratch.path("context.safetensors")
      try ContextFile.write(
        network.parameters,
        ContextDescription(
          settings: ContextSettings(), shape: ContextShape(labels: merge.count), atlas: "small",
          atlasFingerprint: trained.fingerprint, maps: ["small"], steps: 1, merge: digest),
        to: path)
      return try ContextFile(path)
    }
    var labels = trained.prior.table.labels
    let partners: [Int32: Int32] = [2: 42, 42: 2, 3: 41, 41: 3]
    for i in labels.indices { labels[i].partner = partners[labels[i].index] ?? labels[i].partner }
    let crossed = atlas(try prior(LabelTable(labels: labels)))
    #expect(crossed.fingerprint == trained.fingerprint)
    #expect(SideMerge(crossed.prior.table).count == merge.count)
    let noted = try file(merge.digest)
    _ = try ContextReader(noted, atlas: trained)
    #expect(
      throws: AnatomyError.otherAtlas(
        path: noted.path, found: "small of sides and surroundings \(merge.digest)",
        expected: "small of \(SideMerge(crossed.prior.table).digest), "
          + "by the partners and tissues in its table")
    ) { try ContextReader(noted, atlas: crossed) }
    // Files of before do not say.
    _ = try ContextReader(try file(nil), atlas: trained)
  }

  /// f exp(2 r) / sum over labels of it, both sides by the same r, where r is the network's own.
  @Test func priorsAreMultipliedByWhatTheNetworkMakesOfPosteriors() throws {
    let prior = try prior()
    let merge = SideMerge(prior.table)
    let atlas = atlas(prior)
    let shape = ContextShape(labels: merge.count)
    // All planes at once, where the reader walks over them.
    let extents = Extents(38 + 2 * ContextShape.reach, 10, 12)
    let network = try ContextNetwork(shape, extents: extents, trains: false)
    var random = Philox(seed: 5)
    for i in 0..<network.parameters.all.count {
      network.parameters.all.pointer[i] = 0.3 * (random.uniform() - 0.5)
    }
    let scratch = try Scratch()
    let path = scratch.path("context.safetensors")
    try ContextFile.write(
      network.parameters,
      ContextDescription(
        settings: ContextSettings(), shape: shape, atlas: atlas.name,
        atlasFingerprint: atlas.fingerprint, maps: ["small"], steps: 1), to: path)
    let file = try ContextFile(path)

    let segmenter = try Segmenter(prior: prior)
    let fit = Fixture.fit(
      grid, means: [2, 100, 60, 20, 70], variance: 400, scale: IntensityScale(low: 0, high: 200),
      lanes: segmenter.coarse.mm2.lanes)
    let scan = Volume(grid: grid, voxels: (0..<grid.count).map { _ in 130 * random.uniform() + 1 })
    let labeller = PlaneLabeller(
      anatomies: [prior], fit: fit, grid: grid, isTarget: segmenter.isTarget,
      usesIntensities: true)
    let changed = try ContextReader(file, atlas: atlas).priors(
      of: scan, by: labeller, anatomies: [prior])
    #expect(changed.count == 1)

    // The weights as the file holds them, over the whole box at once.
    try file.load(into: network.parameters)
    network.update()
    let q = try Tensor(count: network.activation.count)
    ContextView(scan, by: labeller, merge: merge).fill(
      q, network.activation, from: SIMD3(0, 0, -ContextShape.reach))
    let r = try Tensor(count: network.activation.count)
    network.forward(q, into: r)
    let plain = try Tensor(count: network.activation.plainCount)
    network.activation.unpack(r, into: plain)

    var (largestError, largestChange): (Float, Float) = (0, 0)
    for (voxel, at) in Fixture.voxels(of: grid).enumerated() {
      let before = prior.probabilities(at: voxel)
      let inBox = ((at.z + ContextShape.reach) * 10 + at.y) * 12 + at.x
      var expected = before.indices.map { label in
        before[label] * exp(2 * plain.pointer[merge.channelOf[label] * extents.count + inBox])
      }
      let sum = expected.reduce(0, +)
      for label in expected.indices { expected[label] /= sum }
      for (label, found) in changed[0].probabilities(at: voxel).enumerated() {
        largestError = max(largestError, abs(found - expected[label]))
        largestChange = max(largestChange, abs(found - before[label]))
      }
    }
    // Probabilities are kept in 1/255, and sum to 1.
    #expect(largestError < 2.5 / 255)
    #expect(largestChange > 0.1)
  }
}
