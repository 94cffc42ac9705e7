import Foundation
import Imaging
import Networks
import Parallel
import Testing

@testable import Anatomy

/// A prior with random weights: from maps to latents, files and labels.
@Suite struct PriorModelTests {
  /// Made once: untrained weights, large enough to move and change things.
  struct Made {
    let scratch: Scratch
    let atlas: Atlas
    let path: String

    init(
      _ architecture: PriorSettings.Architecture = .warping, volumes: Bool = true,
      seed: UInt64 = 8
    ) throws {
      scratch = try Scratch()
      let isR1 = architecture == .r1
      let grid =
        isR1 ? Fixture.grid(32, 32, 32, spacing: 2) : Fixture.grid(48, 56, 40, spacing: 1.5)
      let space = AtlasSpace(
        table: try SmallHead.table(), grid: grid, targets: try SmallHead.space().targets)
      let maps = try AlignedMaps(["head.nii.gz"], in: space, read: { _ in SmallHead.map() })
      let counts = LabelCounts(grid: grid, labels: space.table.count)
      for map in maps.maps {
        try counts.add(map.channels)
        if let mirrored = map.mirrored { try counts.add(mirrored) }
      }
      atlas = Atlas(
        name: "small", space: "small", prior: counts.prior(table: space.table, smoothing: 2),
        volumes: [],
        origin: AtlasOrigin(maps: 1, mirrored: true, smoothing: 2, refinements: 0))
      path = scratch.path("prior.safetensors")
      var settings = PriorSettings(architecture: architecture)
      settings.latentSize = 4
      let network = try settings.network(for: atlas.prior, purpose: .inference)
      network.parameters.initialize(seed: 3)
      var random = Philox(seed: seed)
      for parameter in network.parameters.list.parameters where parameter.initialBound == 0 {
        // What starts at zero would leave the location prior as it is.
        let values = network.parameters[parameter]
        for i in 0..<parameter.count { values.pointer[i] = 0.1 * random.normal() }
      }
      network.update()
      let latents = (0..<3).map { _ in
        GaussianLatent(
          mean: (0..<network.latentCount).map { _ in random.normal() },
          logVariance: [Float](repeating: -2, count: network.latentCount))
      }
      try PriorFile.write(
        network, EncodingDistribution(of: latents, centres: [0, 1, 2], most: 2),
        PriorDescription(
          settings: settings, atlas: "small", atlasFingerprint: atlas.fingerprint,
          maps: ["head"], steps: 0, volumes: volumes ? TrainingVolumes(maps) : nil), to: path)
    }

    func model() throws -> PriorModel { try PriorModel(path, atlas: atlas) }
  }

  private func latent(_ model: PriorModel, seed: UInt64 = 5) -> [Float] {
    var random = Philox(seed: seed)
    return (0..<model.latentCount).map { _ in random.normal() }
  }

  @Test(arguments: PriorSettings.Architecture.allCases)
  func decodedLabelsAreTheNetworksOwnExceptForTies(
    _ architecture: PriorSettings.Architecture
  ) throws {
    let model = try Made(architecture).model()
    let z = latent(model)
    let prior = try model.decode(z)
    let labels = try model.mostProbable(z)
    var (others, changed) = (0, 0)
    let plain = model.atlas.prior.mostProbableChannels()
    for voxel in 0..<prior.grid.count {
      let entries = prior.entries[Int(prior.starts[voxel])..<Int(prior.starts[voxel + 1])]
      #expect(entries.reduce(0) { $0 + Int($1 & 255) } == 255)
      let most = entries.map { $0 & 255 }.max()
      if !entries.contains(where: { $0 >> 8 == UInt16(labels[voxel]) && $0 & 255 == most }) {
        others += 1
      }
      if labels[voxel] != plain[voxel] { changed += 1 }
    }
    #expect(others == 0)
    #expect(changed > 20, "random weights should change something")
    #expect(prior.outside == model.atlas.prior.outside)
  }

  @Test(arguments: PriorSettings.Architecture.allCases)
  func sameBitsForAnyNumberOfThreads(_ architecture: PriorSettings.Architecture) throws {
    let before = Parallel.threads
    defer { Parallel.threads = before }
    let model = try Made(architecture).model()
    let map = try AlignedMap(SmallHead.map(), path: "head", in: model.space, mirrors: false)
    let runs = try [1, 2, 5].map { threads in
      Parallel.threads = threads
      let z = try model.encode(map).mean
      let prior = try model.decode(z)
      return (z.map(\.bitPattern), prior.starts, prior.entries)
    }
    for run in runs { #expect(run == runs[0]) }
  }

  @Test func theLatentAloneGivesTheReconstruction() throws {
    let made = try Made()
    let model = try made.model()
    let map = SmallHead.map { $0 * 0.9 + SIMD3(3, -2, 4) }
    let result = try Reconstruction(map, path: "head", by: model)
    #expect(result.dice.mean != nil)
    let path = made.scratch.path("latent.safetensors")
    try result.latent.write(to: path)
    #expect(LatentFile.isLatent(path))
    let read = try LatentFile(path, for: model)
    #expect(read.latent.mean == result.latent.latent.mean)
    #expect(read.latent.logVariance == result.latent.latent.logVariance)
    #expect(read.affine == result.latent.affine)
    let again = try model.anatomy(read.latent.mean, on: map.grid, through: read.affine)
    #expect(again == result.labels)
    #expect(Set(again.voxels).isSubset(of: Set(model.space.table.labels.map(\.index))))
  }

  @Test func foreignAndDamagedLatentsAreRefused() throws {
    let made = try Made()
    let model = try made.model()
    let z = latent(model)
    let path = made.scratch.path("latent.safetensors")
    let latent = GaussianLatent(mean: z, logVariance: z)
    try LatentFile(latent, affine: .identity, of: model).write(to: path)
    let whole = try Data(contentsOf: URL(fileURLWithPath: path))
    for place in stride(from: 0, to: whole.count, by: 37) {
      var data = whole
      data[place] ^= 4
      try data.write(to: URL(fileURLWithPath: path))
      #expect(throws: (any Error).self, "byte \(place)") { try LatentFile(path, for: model) }
    }
    // The prior itself is a safetensors file, and no latent.
    #expect(
      throws: AnatomyError.otherWeights(
        path: made.path, found: "trained prior", expected: "latent")
    ) { try LatentFile(made.path) }
    try LatentFile(
      GaussianLatent(mean: [.nan] + z.dropFirst(), logVariance: z), affine: .identity, of: model
    ).write(to: path)
    #expect(
      throws: NetworkError.damagedFile(path: path, reason: "its numbers are no latent and affine")
    ) { try LatentFile(path) }
    #expect(throws: (any Error).self) { try LatentFile(made.scratch.path("none")) }

    // The same decoder in another file, another training with the same atlas, then another atlas.
    try LatentFile(latent, affine: .identity, of: model).write(to: path)
    #expect(
      throws: AnatomyError.otherWeights(path: path, found: "latent", expected: "trained prior")
    ) { try PriorFile(path) }
    let sameDecoder = try Made(volumes: false)
    #expect(try LatentFile(path, for: sameDecoder.model()).latent.mean == latent.mean)
    let other = try Made(seed: 9)
    let trainedAgain = try other.model()
    #expect(
      throws: AnatomyError.otherPrior(
        path: path, found: try model.file.decoderDigest(),
        expected: try trainedAgain.file.decoderDigest())
    ) { try LatentFile(path, for: trainedAgain) }
    let elsewhere = try Made(.r1).model()
    do {
      _ = try LatentFile(path, for: elsewhere)
      Issue.record("a latent of another atlas was taken")
    } catch AnatomyError.otherAtlas(let found, _, _) {
      #expect(found == path)
    }
    #expect(throws: AnatomyError.self) { try PriorModel(made.path, atlas: elsewhere.atlas) }
  }

  @Test func samplesFollowSeedAndNumber() throws {
    let made = try Made()
    let model = try made.model()
    let source = try LatentSource(model, kind: nil, seed: 2)
    #expect(source.kind == .encodings)
    #expect(source.latent(4) == source.latent(4))
    #expect(source.latent(4) != source.latent(5))
    #expect(try LatentSource(model, kind: nil, seed: 3).latent(4) != source.latent(4))
    let normal = try LatentSource(model, kind: .normal, seed: 2)
    let values = (0..<40).flatMap { normal.latent($0) }
    let mean = values.reduce(0, +) / Float(values.count)
    let square = values.reduce(0) { $0 + $1 * $1 } / Float(values.count)
    // Of n values from N(0, 1), within five standard deviations of each estimate.
    #expect(abs(mean) < 5 / Float(values.count).squareRoot())
    #expect(abs(square - 1) < 8 / Float(values.count).squareRoot())
  }

  @Test func whatLeavesTheTrainingRangeIsDrawnAgain() throws {
    let made = try Made()
    let model = try made.model()
    let volumes = try #require(model.file.description.volumes)
    let ranges = try #require(VolumeRanges(volumes, table: model.space.table))
    var (kept, again) = (0, 0)
    for kind in LatentSource.Kind.allCases {
      let source = try LatentSource(model, kind: kind, seed: 2)
      let once = AnatomySampler(model, source, mostProbable: false, draws: 1)
      let often = AnatomySampler(model, source, mostProbable: false, draws: 5)
      for number in 1...6 {
        let (first, last) = (try once.sample(number), try often.sample(number))
        #expect(first.draws == 1 && first.volumes.count == model.space.table.count)
        if ranges.holdAll(first.volumes) {
          kept += 1
          #expect(last.draws == 1 && last.labels == first.labels)
        } else {
          again += 1
          #expect(last.draws > 1 && last.labels != first.labels)
          #expect(last.draws == 5 || ranges.holdAll(last.volumes))
        }
      }
    }
    #expect(kept > 0 && again > 0, "\(kept) kept, \(again) drawn again")
  }

  @Test func aLineHasItsEnds() {
    let a = GaussianLatent(mean: [1, -2], logVariance: [0, 0])
    let b = GaussianLatent(mean: [3, 0.3], logVariance: [0, 0])
    let points = LatentLine(a, b, count: 3).points
    #expect(points.first == a.mean && points.last == b.mean)
    #expect(points[1] == [2, -0.85])
  }
}
