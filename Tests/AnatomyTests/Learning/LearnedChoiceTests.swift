import Foundation
import Networks
import Testing

@testable import Anatomy

/// Which trained files go with an atlas.
@Suite struct LearnedChoiceTests {
  private let scratch: Scratch

  init() throws {
    scratch = try Scratch()
    for name in ["atlas", "mine", "work/atlas", "work/segmenter", "work/context"] {
      try FileManager.default.createDirectory(
        atPath: scratch.path(name), withIntermediateDirectories: true)
    }
  }

  /// Without the double slash that a temporary folder's path may have.
  private var root: String { (scratch.folder as NSString).standardizingPath }

  private func make(_ names: String...) throws {
    for name in names { try Data().write(to: URL(fileURLWithPath: scratch.path(name))) }
  }

  /// Paths below the scratch folder, of prior, encoder and context.
  private func choose(
    _ folder: String, _ source: AtlasChoice.Source = .given, prior: String? = nil
  ) throws -> [String?] {
    let choice = try LearnedChoice.choose(
      prior: prior.map { root + "/" + $0 }, encoder: nil,
      atlas: AtlasChoice(source: source, folder: root + "/" + folder))
    return [choice.prior, choice.encoder, choice.context].map {
      $0.map { String($0.dropFirst(root.count + 1)) }
    }
  }

  @Test func aContextIsTakenBesideANamedPriorElseOfTheAtlas() throws {
    let prior = "mine/prior.safetensors"
    try make(prior, "atlas/prior.safetensors", "atlas/encoder.safetensors")
    #expect(try choose("atlas", prior: prior) == [prior, nil, nil])
    try make("atlas/context.safetensors")
    // An encoder is of one prior, a context of the atlas.
    #expect(try choose("atlas", prior: prior) == [prior, nil, "atlas/context.safetensors"])
    try make("mine/context.safetensors", "mine/encoder.safetensors")
    #expect(
      try choose("atlas", prior: prior)
        == [prior, "mine/encoder.safetensors", "mine/context.safetensors"])
    #expect(
      try choose("atlas")
        == [
          "atlas/prior.safetensors", "atlas/encoder.safetensors", "atlas/context.safetensors",
        ])
  }

  @Test func aWorkspaceHoldsItsOwn() throws {
    let context = "work/context/context.safetensors"
    try make("mine/prior.safetensors", context, "work/segmenter/encoder.safetensors")
    #expect(try choose("work/atlas", .workspace) == [nil, nil, context])
    #expect(
      try choose("work/atlas", .workspace, prior: "mine/prior.safetensors")
        == ["mine/prior.safetensors", nil, context])
    #expect(try choose("work/atlas") == [nil, nil, nil])
  }

  /// The segmenter's encoder comes first, unless it was trained through a prior of before.
  @Test func encodersOfAnotherPriorArePassedOver() throws {
    let made = try PriorModelTests.Made()
    try FileManager.default.createDirectory(
      atPath: scratch.path("work/encoder"), withIntermediateDirectories: true)
    try FileManager.default.createDirectory(
      atPath: scratch.path("work/prior"), withIntermediateDirectories: true)
    try FileManager.default.copyItem(
      atPath: made.path, toPath: scratch.path("work/prior/prior.safetensors"))
    let own = try PriorFile(made.path).decoderDigest()
    let network = try ContextNetwork(
      ContextShape(labels: 2), extents: Extents(16, 16, 16), trains: false)
    func write(_ name: String, _ decoder: String) throws {
      try EncoderFile.write(
        network.parameters, EncoderDescription(atlas: "small", decoder: decoder, trainings: []),
        to: scratch.path("work/\(name)/encoder.safetensors"))
    }
    func chosen() throws -> (encoder: String?, passedOver: [String]) {
      let choice = try LearnedChoice.choose(
        prior: nil, encoder: nil,
        atlas: AtlasChoice(source: .workspace, folder: root + "/work/atlas"))
      return (choice.encoder, choice.passedOver)
    }
    let files = ["segmenter", "encoder"].map { root + "/work/\($0)/encoder.safetensors" }
    for (segmenter, encoder, taken, passedOver) in [
      (own, own, 0, 0), ("other", own, 1, 1), (own, "other", 0, 0), ("other", "other", 0, 0),
    ] {
      try write("segmenter", segmenter)
      try write("encoder", encoder)
      let found = try chosen()
      #expect(found.encoder == files[taken], "\(segmenter), \(encoder)")
      #expect(found.passedOver == Array(files.prefix(passedOver)), "\(segmenter), \(encoder)")
    }
  }
}
