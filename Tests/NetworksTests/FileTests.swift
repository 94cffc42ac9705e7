import Files
import Foundation
import Parallel
import Testing

import Networks

extension NetworksTests {
  @Suite struct FileTests {
    /// A folder that is gone when the test ends.
    final class Folder {
      let path: String
      init() throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
      }
      deinit { try? FileManager.default.removeItem(atPath: path) }
    }

    @Test func safetensorsRoundTrip() throws {
      let folder = try Folder()
      let path = folder.path + "/weights.safetensors"
      let values = randomValues(24, seed: 1)
      let digest = try Safetensors.write(
        [
          .floats("b/a", [2, 3, 4], try tensor(values)), .halves("half", [24], try tensor(values)),
          .integers("numbers", [3], [1, -2, 1 << 40]),
          .floats("empty", [0, 5], try Tensor(count: 0)), .floats("plain", [1.5, -2]),
          .doubles("wide", [1, 2], [0.1, -1e300]),
        ], metadata: ["who": "an \"odd\" name\n"], to: path)
      let file = try Safetensors(contentsOf: path)
      #expect(file.names == ["b/a", "empty", "half", "numbers", "plain", "wide"])
      #expect(file.metadata == ["who": "an \"odd\" name\n"])
      #expect(file.digest == digest)
      #expect(file.shape(of: "b/a") == [2, 3, 4])
      #expect(try file.floats("b/a") == values)
      #expect(try file.floats("empty").isEmpty)
      #expect(try file.integers("numbers") == [1, -2, 1 << 40])
      #expect(try file.floats("plain") == [1.5, -2])
      #expect(try file.doubles("wide") == [0.1, -1e300])
      #expect(throws: NetworkError.self) { try file.doubles("plain") }
      #expect(throws: NetworkError.self) { try file.floats("wide") }
      #expect(zip(try file.floats("half"), values).allSatisfy { abs($0 - $1) < 5e-4 })
      #expect(throws: NetworkError.missingTensor(path: path, name: "c")) { try file.floats("c") }
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["weights.safetensors"])
    }

    /// The fixture was written by PyPI's safetensors 0.8.
    @Test func readsFilesOfTheReferenceLibrary() throws {
      let path = try #require(Bundle.module.path(forResource: "autoencoder", ofType: "safetensors"))
      let file = try Safetensors(contentsOf: path)
      #expect(file.metadata == ["labels": "5", "made_by": "PyTorch"])
      #expect(file.digest == nil)
      #expect(file.shape(of: "encoder.0.0.weight") == [2, 5, 3, 3, 3])
      #expect(try file.floats("log_prior").count == 5 * 4 * 4 * 8)
      #expect(try file.integers("labels").allSatisfy { (0..<5).contains($0) })
    }

    /// Every byte changed, and every length cut: never accepted, never a crash.
    @Test func damageIsAlwaysFound() throws {
      let folder = try Folder()
      let path = folder.path + "/weights.safetensors"
      try Safetensors.write([.floats("a", [3], try tensor([1, 2, 3]))], to: path)
      let whole = try Data(contentsOf: URL(fileURLWithPath: path))
      func expectRefused(_ data: Data, _ what: String) throws {
        try data.write(to: URL(fileURLWithPath: path))
        #expect(throws: NetworkError.self, "\(what)") { try Safetensors(contentsOf: path) }
      }
      for length in 0..<whole.count { try expectRefused(whole.prefix(length), "cut at \(length)") }
      // Of the header, the name of the digest itself may change: the file then carries none.
      let digestName = whole.range(of: Data("__metadata__\":{\"sha256".utf8)) ?? 0..<0
      for index in whole.indices where !digestName.contains(index) {
        for bit in [0, 4] {
          var changed = whole
          changed[index] ^= 1 << bit
          try expectRefused(changed, "byte \(index), bit \(bit)")
        }
      }
      try expectRefused(whole + Data([0]), "one byte more")
    }

    @Test func failedWriteKeepsThePreviousFile() throws {
      let folder = try Folder()
      let path = folder.path + "/weights.safetensors"
      try Safetensors.write([.integers("a", [1], [1])], to: path)
      #expect(throws: NetworkError.self) {
        try Safetensors.write([.integers("a", [1], [2])], to: folder.path + "/none/weights")
      }
      try FileManager.default.createDirectory(
        atPath: folder.path + "/taken", withIntermediateDirectories: true)
      #expect(throws: NetworkError.self) {
        try Safetensors.write([.integers("a", [1], [2])], to: folder.path + "/taken")
      }
      #expect(try Safetensors(contentsOf: path).integers("a") == [1])
      let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
      #expect(names == ["taken", "weights.safetensors"])
    }

    // MARK: - Checkpoints

    /// A small network trained on random labels; each step draws its own epsilon.
    struct Training {
      let model: LabelAutoEncoder
      let labels: [[UInt8]]
      let prior: LabelPrior
      var state: TrainingState

      init() throws {
        let extents = Extents(32, 32, 32)
        model = try LabelAutoEncoder(
          AutoEncoderShape(
            labels: 4, extents: extents, latent: 4, encoderChannels: [16, 16, 16, 16, 16],
            decoderChannels: [16, 16, 16, 16, 16, 16]), for: .training)
        model.parameters.initialize(seed: 1)
        var random = Philox(seed: 2)
        labels = (0..<3).map { _ in
          (0..<extents.count).map { _ in UInt8.random(in: 0..<4, using: &random) }
        }
        prior = try LabelPrior(voxels: extents.count, labels: 4) { _, values in
          values.update(repeating: -1.386)
        }
        var settings = Adam.Settings()
        settings.largestNorm = 1e4
        state = TrainingState(
          weights: model.parameters, adam: try Adam(model.parameters.list, settings: settings),
          average: try WeightAverage(model.parameters.list), random: Philox(seed: 5),
          threads: Parallel.threads)
        model.update()
      }

      mutating func step() throws {
        let epsilon = (0..<4).map { _ in state.random.normal() }
        let step = state.adam.steps
        _ = try model.differentiate(labels[step % 3], prior: prior, epsilon: epsilon)
        if let gradients = model.gradients {
          state.adam.step(model.parameters, gradients: gradients, rate: 0.01)
        }
        if step > 0 { state.average?.add(model.parameters) }
        model.update()
      }

      var bytes: [UInt32] {
        [model.parameters, state.adam.first, state.adam.second, state.average?.values]
          .compactMap { $0 }.flatMap { $0.all.elements.map(\.bitPattern) }
      }
    }

    @Test func resumedTrainingEqualsUninterruptedBitForBit() throws {
      let folder = try Folder()
      let checkpoints = CheckpointFolder(folder.path + "/checkpoints")
      var whole = try Training()
      for step in 0..<6 {
        if step == 3 { try checkpoints.save(whole.state) }
        try whole.step()
      }
      var resumed = try Training()
      #expect(checkpoints.restore(&resumed.state).steps == 3)
      resumed.model.update()
      #expect(resumed.state.adam.steps == 3)
      for _ in 3..<6 { try resumed.step() }
      #expect(resumed.bytes == whole.bytes)
      #expect(resumed.state.random == whole.state.random)
      #expect(resumed.state.average?.count == 5)
    }

    @Test func weightsAreAveragedOverSteps() throws {
      var training = try Training()
      var sums = [Double](repeating: 0, count: training.model.parameters.all.count)
      for step in 0..<5 {
        try training.step()
        guard step > 0 else { continue }
        for (i, value) in training.model.parameters.all.elements.enumerated() {
          sums[i] += Double(value) / 4
        }
      }
      let average = try #require(training.state.average)
      #expect(average.count == 4)
      let furthest = zip(sums, average.values.all.elements).map { abs($0 - Double($1)) }.max()
      #expect(furthest ?? 1 < 1e-6)
    }

    @Test func lastTwoAreKeptAndADamagedOneIsPassedOver() throws {
      let folder = try Folder()
      let checkpoints = CheckpointFolder(folder.path)
      var training = try Training()
      training.state.notes = ["maps": "1 2 3"]
      for _ in 0..<4 {
        try training.step()
        try checkpoints.save(training.state)
      }
      #expect(checkpoints.steps == [3, 4])

      let newest = checkpoints.file(of: 4)
      var bytes = try Data(contentsOf: URL(fileURLWithPath: newest))
      bytes[bytes.count / 2] ^= 1
      try bytes.write(to: URL(fileURLWithPath: newest))
      var resumed = try Training()
      let (steps, damaged) = checkpoints.restore(&resumed.state)
      #expect(steps == 3)
      #expect(
        damaged.map { $0 as? NetworkError } == [
          .damagedFile(path: newest, reason: "its content does not match its digest")
        ])
      #expect(resumed.state.notes == ["maps": "1 2 3"])
      #expect(checkpoints.notes == ["maps": "1 2 3"])
      #expect(resumed.state.threads == Parallel.threads)

      // The damaged one is none of the last two that are kept.
      #expect(checkpoints.steps == [3])
      for _ in 0..<3 { try resumed.step() }
      try checkpoints.save(resumed.state)
      #expect(checkpoints.steps == [3, 6])
      for step in [3, 6] {
        try Data(bytes.prefix(1000)).write(to: URL(fileURLWithPath: checkpoints.file(of: step)))
      }
      let before = resumed.bytes
      #expect(checkpoints.restore(&resumed.state).steps == nil)
      #expect(checkpoints.notes == nil)
      #expect(resumed.bytes == before)
    }

    @Test func whatCannotBeOpenedIsNotCalledDamaged() throws {
      let folder = try Folder()
      let nothing = folder.path + "/nothing"
      #expect(throws: FileError.missing(path: nothing)) { try Safetensors(contentsOf: nothing) }
      #expect(throws: FileError.wrongKind(path: folder.path, found: .folder, expected: .file)) {
        try Safetensors(contentsOf: folder.path)
      }
      // Of a file of any size, what tells that it is something else is read.
      let large = folder.path + "/large"
      _ = FileManager.default.createFile(atPath: large, contents: Data(repeating: 255, count: 8))
      #expect(truncate(large, 1 << 36) == 0)
      #expect(
        throws: NetworkError.damagedFile(
          path: large, reason: "a header of \(UInt64.max) bytes in a file of \(1 << 36)")
      ) { try Safetensors(contentsOf: large) }
    }

    @Test func checkpointOfAnotherNetworkIsRefused() throws {
      let folder = try Folder()
      let training = try Training()
      let path = folder.path + "/one.safetensors"
      try training.state.write(to: path)
      var list = ParameterList()
      _ = list.add("encoder.0.0.weight", [16, 9, 3, 3, 3], fanIn: 1)
      var other = TrainingState(
        weights: try ParameterValues(list), adam: try Adam(list), random: Philox(seed: 0),
        threads: 1)
      #expect(
        throws: NetworkError.shapeMismatch(
          path: path, name: "encoder.0.0.weight", found: [16, 4, 3, 3, 3],
          expected: [16, 9, 3, 3, 3])
      ) { try other.read(from: path) }

      // Whole as it is, it is not removed where an older one is taken up.
      let checkpoints = CheckpointFolder(folder.path + "/checkpoints")
      try checkpoints.save(other)
      try training.state.write(to: checkpoints.file(of: 5))
      #expect(checkpoints.restore(&other).steps == 0)
      #expect(checkpoints.steps == [0, 5])
    }
  }
}
