import Imaging
import Networks
import Testing

@testable import Anatomy

/// What makes a training another one.
@Suite struct TrainingIdentityTests {
  private func identity(_ change: (inout Label) -> Void = { _ in }) throws -> [String: String] {
    let table = try SmallHead.table()
    var labels = table.labels
    // The left nucleus.
    for i in labels.indices where labels[i].index == 901 { change(&labels[i]) }
    let prior = Fixture.prior(
      Fixture.grid(4, 4, 4), try LabelTable(labels: labels)
    ) { label, _ in label == 0 ? 255 : 0 }
    let atlas = Atlas(
      name: "small", space: "small", prior: prior, volumes: [],
      origin: AtlasOrigin(maps: 1, mirrored: true, smoothing: 2, refinements: 0))
    return try TrainingIdentity.values(
      ContextSettings(), atlas: atlas, maps: try SmallHead.aligned())
  }

  private func checkpoint(
    _ notes: [String: String], in scratch: Scratch
  ) throws -> CheckpointFolder {
    let network = try ContextNetwork(
      ContextShape(labels: 2), extents: Extents(16, 16, 16), trains: true)
    var state = TrainingState(
      weights: network.parameters, adam: try Adam(network.parameters.list),
      random: Philox(seed: 1), threads: 1, notes: notes)
    let gradients = try #require(network.gradients)
    gradients.all.fill(with: 0)
    _ = try state.step(gradients, rate: 0)
    let folder = CheckpointFolder(scratch.path("checkpoints"))
    try folder.save(state)
    return folder
  }

  @Test func anotherLabelTableOfTheSameValuesIsNoticed() throws {
    let scratch = try Scratch()
    let before = try identity()
    let folder = try checkpoint(before, in: scratch)
    try TrainingIdentity(try identity()).check(folder)
    try TrainingIdentity(try identity { $0.name = "Another-Name" }).check(folder)
    let changes: [(inout Label) -> Void] = [
      { $0.group = "csf" }, { $0.mapping = 8 },
      { $0.mapping = nil },
    ]
    for change in changes {
      let now = try identity(change)
      #expect(now["atlas"] == before["atlas"])
      #expect(
        throws: AnatomyError.otherTraining(
          path: folder.path,
          what: "label table \(before["label table"] ?? ""), now \(now["label table"] ?? "")")
      ) { try TrainingIdentity(now).check(folder) }
    }
  }
}
