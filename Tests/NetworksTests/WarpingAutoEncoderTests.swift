import Foundation
import Parallel
import Testing

@testable import Networks

extension NetworksTests {
  /// The whole network that warps a prior, against PyTorch and against finite differences.
  @Suite struct WarpingAutoEncoderTests {
    /// What `Fixtures/make_warping_fixtures.py` made: 16x16x32 voxels, 20 labels, and all kinds of
    /// layers.
    struct Fixture {
      let file: Safetensors
      let model: WarpingAutoEncoder
      let labels: [UInt8]
      let codes: [UInt16]
      let table: [Float]

      init() throws {
        let path = try #require(Bundle.module.path(forResource: "warping", ofType: "safetensors"))
        file = try Safetensors(contentsOf: path)
        let extents = Extents(16, 16, 32)
        let shape = try WarpingShape(
          labels: 20, extents: extents, latentChannels: 3, factor: 4, encoderChannels: [4, 3, 3],
          decoderChannels: [4, 3, 3])
        // Codes and prior are at half the grid, the prior's voxels shifted by half of theirs.
        func cell(_ voxel: Int, offset: Int) -> Int {
          let (z, y, x) = (voxel / 512 + offset, voxel / 32 % 16 + offset, voxel % 32 + offset)
          return (min(z / 2, 7) * 8 + min(y / 2, 7)) * 16 + min(x / 2, 15)
        }
        let prior = try file.integers("prior")
        var (starts, entries): ([UInt32], [UInt16]) = ([0], [])
        for voxel in 0..<extents.count {
          for label in 0..<20 {
            let share = prior[label * 1024 + cell(voxel, offset: 1)]
            if share > 0 { entries.append(UInt16(label << 8 | share)) }
          }
          starts.append(UInt32(entries.count))
        }
        model = try WarpingAutoEncoder(
          shape, prior: BytePrior(extents: extents, labels: 20, starts: starts, entries: entries),
          for: .training)
        try file.load(into: model.parameters)
        model.update()
        model.labelWeights = try file.floats("label_weights")
        labels = try file.integers("labels").map { UInt8($0) }
        let coarse = try file.integers("codes")
        codes = (0..<extents.count).map { UInt16(coarse[cell($0, offset: 0)]) }
        table = try file.floats("table")
      }

      func doubles(_ name: String) throws -> [Double] { try file.floats(name).map(Double.init) }

      /// What a scan tells, by the Jensen bound or exactly.
      func observation(_ kind: String) -> Observation {
        let values = ObservationTable(codes: 5, labels: 20) { code, label in
          kind == "jensen" ? table[20 * code + label] : exp(table[20 * code + label])
        }
        return kind == "jensen"
          ? .jensen(codes: codes, table: values) : .exact(codes: codes, table: values)
      }
    }

    /// Without displacement and with half the logits, labels are as probable as if the weights that make
    /// them were zero and halved; where there is a displacement, logits are brought back along it.
    @Test func partsOfWhatIsDecodedCanBeLeftOut() throws {
      let fixture = try Fixture()
      let z = (0..<fixture.model.latentCount).map { Float(sin(Double($0))) }
      func values(_ parts: DecodedParts) throws -> [Float] {
        let extents = Extents(16, 16, 32)
        let voxels = extents.height * extents.width
        var result = [Float](repeating: 0, count: extents.count * 20)
        try result.withUnsafeMutableBufferPointer { buffer in
          nonisolated(unsafe) let out = buffer
          try fixture.model.probabilities(at: z, parts: parts) { plane, values in
            let padded = values.count / voxels
            for (i, value) in values.enumerated() where i % padded < 20 {
              out[(plane * voxels + i / padded) * 20 + i % padded] = value
            }
          }
        }
        return result
      }
      let (all, carried) = (try values(.all), try values(.logits(weight: 0.5)))
      #expect(zip(all, carried).contains { abs($0 - $1) > 0.05 })
      #expect(abs(carried.reduce(0.0) { $0 + Double($1) } / Double(carried.count / 20) - 1) < 1e-4)
      var zeroed = 0
      for parameter in fixture.model.parameters.list.parameters
      where parameter.name.hasPrefix("shift") {
        fixture.model.parameters[parameter].fill(with: 0)
        zeroed += 1
      }
      #expect(zeroed == 2)
      fixture.model.update()
      let still = try values(.logits(weight: 0.5))
      #expect(zip(still, carried).contains { abs($0 - $1) > 1e-3 })
      for parameter in fixture.model.parameters.list.parameters
      where parameter.name.hasPrefix("logit") {
        let tensor = fixture.model.parameters[parameter]
        tensor.assign(tensor.elements.map { $0 / 2 })
        zeroed += 1
      }
      #expect(zeroed == 4)
      fixture.model.update()
      #expect(zip(try values(.all), still).allSatisfy { abs($0 - $1) < 1e-5 })
    }

    @Test func encoderAndDecoderMatchPyTorch() throws {
      let fixture = try Fixture()
      let seen = try fixture.model.features(of: fixture.labels)
      #expect(relativeError(seen.map { Float($0) }, try fixture.doubles("features")) < 1e-5)
      let latent = try fixture.model.encode(fixture.labels)
      #expect(relativeError(latent.mean, try fixture.doubles("mean")) < 1e-5)
      #expect(relativeError(latent.logVariance, try fixture.doubles("log_variance")) < 1e-5)
      let z = try fixture.file.floats("z")
      #expect(
        relativeError(latent.sample(try fixture.file.floats("epsilon")), z.map(Double.init)) < 1e-5)

      var list = ParameterList()
      let decoder = try WarpingDecoder(
        fixture.model.shape, differentiates: false, trains: false, parameters: &list)
      let values = try ParameterValues(list)
      try fixture.file.load(into: values)
      decoder.update(from: values)
      try decoder.forward(z)
      let output = fixture.model.output
      let found = [
        ("shift", try plain(decoder.shift, output.shift)),
        ("logits", try plain(decoder.logits, output.logits)),
      ]
      for (name, found) in found {
        #expect(relativeError(found, try fixture.doubles(name)) < 1e-5, "\(name)")
      }
    }

    @Test func lossAndGradientsMatchPyTorch() throws {
      let fixture = try Fixture()
      let loss = try fixture.model.differentiate(
        fixture.labels, epsilon: try fixture.file.floats("epsilon"), beta: 0.7, scale: 1,
        part: .all)
      let losses = try fixture.doubles("losses")
      #expect(abs(loss.reconstruction - losses[0]) < 1e-5 * losses[0])
      #expect(abs(loss.divergence - losses[1]) < 1e-5 * losses[1])
      let gradients = try #require(fixture.model.gradients)
      for parameter in gradients.list.parameters {
        let error = relativeError(
          Array(gradients[parameter].elements), try fixture.doubles("gradient.\(parameter.name)"))
        #expect(error < 1e-3, "\(parameter.name): \(error)")
      }
    }

    @Test(arguments: ["jensen", "exact"])
    func lossesOfScansMatchPyTorch(kind: String) throws {
      let fixture = try Fixture()
      let (loss, gradient) = try fixture.model.loss(
        at: try fixture.file.floats("z"), observed: fixture.observation(kind))
      let expected = try fixture.doubles("observed")[kind == "jensen" ? 0 : 1]
      #expect(abs(loss - expected) < 1e-5 * abs(expected))
      #expect(relativeError(gradient, try fixture.doubles("gradient.\(kind)")) < 1e-3)
    }

    /// 8x8x16 voxels, 18 labels, one doubling; weights at random, none of them zero.
    struct Small {
      let model: WarpingAutoEncoder
      let reference: WarpingReference
      let labels: [UInt8]
      let epsilon: [Float]
      let weights: [Float]
      /// The model's own, in double precision.
      let values: WarpingReference.Parameters

      init() throws {
        let extents = Extents(8, 8, 16)
        let shape = try WarpingShape(
          labels: 18, extents: extents, latentChannels: 2, factor: 4, encoderChannels: [3, 2],
          decoderChannels: [3, 2])
        let problem = WarpedPriorTests.Problem(labels: 18, extents: extents)
        model = try WarpingAutoEncoder(shape, prior: problem.layer.prior, for: .training)
        for (index, parameter) in model.parameters.list.parameters.enumerated() {
          let size: Float = parameter.name.hasSuffix("bias") ? 0.3 : 0.25
          model.parameters[parameter].assign(
            randomValues(parameter.count, seed: 40 + UInt64(index)).map { size * $0 })
        }
        model.update()
        var random = Philox(seed: 5)
        // One above the last label is unknown.
        labels = (0..<extents.count).map { _ in UInt8.random(in: 0...18, using: &random) }
        reference = WarpingReference(
          shape: shape,
          output: WarpReference(
            extents: extents, factor: shape.factor, labels: 18, floor: Double(shape.floor),
            reach: 1, dense: problem.dense),
          features: try model.features(of: labels))
        epsilon = (0..<shape.latent).map { _ in random.normal() }
        weights = (0..<18).map { 0.2 + 0.1 * Float($0) }
        model.labelWeights = weights
        values = Dictionary(
          uniqueKeysWithValues: model.parameters.list.parameters.map { [model] parameter in
            (parameter.name, model.parameters[parameter].elements.map(Double.init))
          })
      }
    }

    /// Every parameter, along some of its elements and the one that matters most.
    @Test func gradientsMatchFiniteDifferences() throws {
      let small = try Small()
      let loss = try small.model.differentiate(
        small.labels, epsilon: small.epsilon, beta: 0.6, scale: 1, part: .all)
      func reference(_ values: WarpingReference.Parameters) -> Double {
        small.reference.loss(
          labels: small.labels, weights: small.weights, epsilon: small.epsilon, beta: 0.6, values)
      }
      let expected = reference(small.values)
      #expect(abs(loss.reconstruction + 0.6 * loss.divergence - expected) < 1e-5 * expected)
      let gradients = try #require(small.model.gradients)
      for parameter in gradients.list.parameters {
        let gradient = Array(gradients[parameter].elements)
        let most = gradient.indices.max { abs(gradient[$0]) < abs(gradient[$1]) } ?? 0
        let elements = spread(3, over: parameter.count) + [most]
        let expected = finiteDifferences(
          at: small.values[parameter.name] ?? [], elements: elements, step: 1e-6
        ) { point in
          reference(small.values.merging([parameter.name: point]) { $1 })
        }
        let error = relativeError(elements.map { gradient[$0] }, expected)
        #expect(error < 1e-3, "\(parameter.name): \(error)")
      }
    }

    /// Of the latent, with frozen weights, for what a scan tells and for labels.
    @Test(arguments: WarpedPriorTests.kinds)
    func gradientsOfTheLatentMatchFiniteDifferences(kind: String) throws {
      let small = try Small()
      let observed = WarpedPriorTests.observation(
        kind, labels: 18, voxels: small.labels.count)
      let z = small.epsilon
      let (loss, gradient) = try small.model.loss(at: z, observed: observed)
      let exact = z.map(Double.init)
      let expected = small.reference.loss(at: exact, observed, small.values)
      #expect(abs(loss - expected) < 1e-5 * abs(expected))
      let slopes = finiteDifferences(at: exact, elements: Array(z.indices), step: 1e-6) {
        small.reference.loss(at: $0, observed, small.values)
      }
      #expect(relativeError(gradient, slopes) < 1e-3)
    }

    /// Steps judge a part of the voxels each; together the parts are all.
    @Test func partsAddUpToAll() throws {
      let small = try Small()
      let gradients = try #require(small.model.gradients)
      func differentiate(_ part: VoxelPart) throws -> (loss: Double, gradient: [Double]) {
        let loss = try small.model.differentiate(
          small.labels, epsilon: small.epsilon, beta: 1, scale: 0.5, part: part)
        return (loss.reconstruction, gradients.all.elements.map(Double.init))
      }
      let all = try differentiate(.all)
      var (loss, gradient) = (0.0, [Double](repeating: 0, count: all.gradient.count))
      for phase in 0..<4 {
        let part = try differentiate(VoxelPart(stride: 4, phase: phase))
        loss += part.loss / 4
        for i in gradient.indices { gradient[i] += part.gradient[i] / 4 }
      }
      #expect(abs(loss - all.loss) < 1e-5 * all.loss)
      #expect(relativeError(gradient.map { Float($0) }, all.gradient) < 1e-4)
    }

    /// Made, a network for training has reserved about what was foretold; pages are given later.
    @Test func memoryOfTrainingIsForetold() throws {
      func reserved() throws -> Int {
        let text = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8)
        let pages = text.split(separator: " ").first.flatMap { Int($0) } ?? 0
        return pages * sysconf(Int32(_SC_PAGESIZE))
      }
      let extents = Extents(96, 96, 96)
      let prior = BytePrior(
        extents: extents, labels: 30, starts: (0...extents.count).map { UInt32($0) },
        entries: [UInt16](repeating: 255, count: extents.count))
      let before = try reserved()
      let shape = try WarpingShape.standard(labels: 30, extents: extents, latentChannels: 8)
      let warping = try WarpingAutoEncoder(shape, prior: prior, for: .training)
      let adam = try Adam(warping.parameters.list)
      let between = try reserved()
      #expect(abs(Double(between - before) / Double(shape.trainingBytes) - 1) < 0.1)
      let r1 = try AutoEncoderShape.r1(labels: 30, extents: extents)
      let plain = try LabelAutoEncoder(r1, for: .training)
      let plainAdam = try Adam(plain.parameters.list)
      #expect(abs(Double(try reserved() - between) / Double(r1.trainingBytes) - 1) < 0.25)
      withExtendedLifetime((warping, adam, plain, plainAdam)) {}
    }

    @Test(arguments: [
      (2, 16, "the factor (=2) must be a multiple of 4"),
      (4, 12, "extents (=12x16x16) must be multiples of 8"),
    ])
    func impossibleShapesAreNamed(factor: Int, depth: Int, reason: String) {
      #expect(throws: NetworkError.invalidShape(reason: reason)) {
        try WarpingShape(
          labels: 4, extents: Extents(depth, 16, 16), latentChannels: 2, factor: factor,
          encoderChannels: [3, 2], decoderChannels: [3, 2])
      }
    }

    @Test func sameBitsForAnyNumberOfThreads() throws {
      let before = Parallel.threads
      defer { Parallel.threads = before }
      let runs = try [1, 2, 3].map { threads in
        Parallel.threads = threads
        let small = try Small()
        _ = try small.model.differentiate(
          small.labels, epsilon: small.epsilon, beta: 1, scale: 1, part: .all)
        let gradients = try #require(small.model.gradients)
        return gradients.all.elements.map(\.bitPattern)
      }
      #expect(runs.allSatisfy { $0 == runs[0] })
    }
  }
}

extension WarpingAutoEncoder {
  /// What the encoder sees of a label volume, `[padded K + 16, nodes]`: minus the gradients at the
  /// undisplaced prior, by voxels of twice the size, each of which takes the label of corner (z, y, x)
  /// mod 2. `WarpedPriorTests` checks these gradients against the formulas.
  fileprivate func features(of labels: [UInt8]) throws -> [Double] {
    let (extents, half) = (shape.extents, shape.extents.halved)
    let picked = (0..<half.count).map { voxel in
      let (z, y, x) = (
        voxel / (half.height * half.width), voxel / half.width % half.height, voxel % half.width
      )
      return labels[
        ((2 * z + z % 2) * extents.height + 2 * y + y % 2) * extents.width + 2 * x + x % 2]
    }
    let shapes = [halfOutput.logits, halfOutput.shift]
    let (still, gradients) = (
      try shapes.map { try Tensor(count: $0.count) }, try shapes.map { try Tensor(count: $0.count) }
    )
    _ = halfOutput.loss(
      shift: still[1], logits: still[0], observed: .labels(picked), scale: -4 / 8,
      gradients: (shift: gradients[1], logits: gradients[0]))
    return try zip(gradients, shapes).flatMap { gradient, shape in
      let padded = ActivationShape(channels: shape.paddedChannels, extents: shape.extents)
      return try plain(gradient, padded).map(Double.init)
    }
  }
}
