import Foundation
import Networks
import Testing

@testable import Anatomy

/// Files of trained weights that are whole as safetensors, but not as what they say they are.
@Suite struct DamagedWeightsTests {
  /// Copies a file with another text of `old` in its metadata, or with another tensor.
  private func altered(
    _ path: String, replacing old: String = "", with new: String = "",
    tensor: (name: String, values: [Float])? = nil, to copy: String
  ) throws {
    let file = try Safetensors(contentsOf: path)
    let items = try file.names.map { name in
      let values = tensor.flatMap { $0.name == name ? $0.values : nil }
      let tensor = try Tensor(count: file.floats(name).count)
      tensor.assign(try file.floats(name))
      return values.map { .floats(name, $0) }
        ?? Safetensors.Item.floats(name, file.shape(of: name) ?? [], tensor)
    }
    let metadata = file.metadata.mapValues { $0.replacing(old, with: new) }
    if !old.isEmpty { #expect(metadata != file.metadata, "\(old) is not there") }
    try Safetensors.write(items, metadata: metadata, to: copy)
  }

  private func damaged(_ path: String, _ reason: String) -> NetworkError {
    .damagedFile(path: path, reason: reason)
  }

  @Test func versionsAndSizesAreChecked() throws {
    let made = try PriorModelTests.Made()
    let copy = made.scratch.path("copy.safetensors")
    try altered(made.path, replacing: "\"version\":1", with: "\"version\":99", to: copy)
    #expect(
      throws: damaged(copy, "it is a trained prior of version 99, expected 1")
    ) { try PriorFile(copy) }
    try altered(
      made.path, replacing: "\"latentSize\":4", with: "\"latentSize\":1152921504606846976",
      to: copy)
    #expect(
      throws: damaged(
        copy, "its latent has 1152921504606846976 dimensions, expected 1 to 4096")
    ) { try PriorFile(copy) }
  }

  @Test func weightsOfAnotherKindAreNotCalledDamaged() throws {
    let made = try PriorModelTests.Made()
    func refused(_ path: String, _ found: String?) {
      #expect(
        throws: AnatomyError.otherWeights(
          path: path, found: found, expected: "trained encoder of scans")
      ) { try EncoderFile(path) }
    }
    refused(made.path, "trained prior")
    let foreign = made.scratch.path("foreign.safetensors")
    try Safetensors.write([.floats("weight", [1, 2])], metadata: ["format": "pt"], to: foreign)
    refused(foreign, nil)
    let copy = made.scratch.path("copy.safetensors")
    try altered(made.path, replacing: "\"version\"", with: "\"edition\"", to: copy)
    #expect(throws: damaged(copy, "what it says of the trained prior cannot be read")) {
      try PriorFile(copy)
    }
  }

  @Test func weightsCarryADigest() throws {
    let made = try PriorModelTests.Made()
    var bytes = try Data(contentsOf: URL(fileURLWithPath: made.path))
    let name = try #require(bytes.range(of: Data("\"sha256\"".utf8)))
    bytes.replaceSubrange(name, with: Data("\"SHA256\"".utf8))
    let copy = made.scratch.path("copy.safetensors")
    try bytes.write(to: URL(fileURLWithPath: copy))
    #expect(throws: damaged(copy, "it carries no digest")) { try PriorFile(copy) }
  }

  @Test(arguments: ["mean", "factors", "coefficients", "deviations"])
  func encodingsFitTogether(_ part: String) throws {
    let made = try PriorModelTests.Made()
    let copy = made.scratch.path("copy.safetensors")
    let values = try Safetensors(contentsOf: made.path).floats("encodings.\(part)")
    for cut in [Array(values.dropLast()), []] {
      // Without factors there are no coefficients either, and without these draws start from none.
      if cut.isEmpty && part == "coefficients" { continue }
      try altered(made.path, tensor: ("encodings.\(part)", cut), to: copy)
      let model = try PriorModel(copy, atlas: made.atlas)
      let error = try #require(throws: NetworkError.self) {
        try LatentSource(model, kind: nil, seed: 1)
      }
      guard case .damagedFile(let path, let reason) = error else {
        Issue.record("\(error)")
        continue
      }
      #expect(path == copy)
      #expect(reason.hasPrefix("its encodings have "))
    }
  }

  @Test(arguments: ["features", "coarseFeatures", "labels"])
  func contextsHaveSizesThatNetworksCanHave(_ size: String) throws {
    let shape = ContextShape(labels: 9, features: 16, coarseFeatures: 32)
    let network = try ContextNetwork(shape, extents: Extents(16, 16, 16), trains: false)
    let scratch = try Scratch()
    let (path, copy) = (scratch.path("context.safetensors"), scratch.path("copy.safetensors"))
    try ContextFile.write(
      network.parameters,
      ContextDescription(
        settings: ContextSettings(), shape: shape, atlas: "small", atlasFingerprint: "none",
        maps: ["small"], steps: 1), to: path)
    let value = ["features": 16, "coarseFeatures": 32, "labels": 9][size] ?? 0
    for number in [0, -16, 1 << 60] {
      try altered(
        path, replacing: "\"\(size)\":\(value)", with: "\"\(size)\":\(number)", to: copy)
      let words = size == "coarseFeatures" ? "coarse features" : size
      #expect(throws: damaged(copy, "it has \(number) \(words), expected 1 to 1024")) {
        try ContextFile(copy)
      }
    }
  }
}
