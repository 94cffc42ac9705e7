import Foundation
import Imaging
import Testing

@testable import Anatomy

/// Intensities of tissue groups from a file.
@Suite struct IntensityFileTests {
  private func table() throws -> LabelTable { try Fixture.table(Fixture.label(1)) }

  private func read(_ tissues: [String: String]) throws -> IntensityFile {
    let path = NSTemporaryDirectory() + "intensities-\(UUID().uuidString).json"
    defer { try? FileManager.default.removeItem(atPath: path) }
    let list = tissues.map { "{\"Group\": \"\($0.key)\", \($0.value)}" }.joined(separator: ", ")
    try "{\"IntensityModel\": [\(list)], \"Kind\": \"whole\"}".write(
      toFile: path, atomically: true, encoding: .utf8)
    return try IntensityFile(path, for: try table())
  }

  private let two = """
    "ZeroShare": 0, "Gaussians": [{"Mean": 40, "Deviation": 5, "Weight": 3}, \
    {"Mean": 60, "Deviation": 0.001, "Weight": 1}]
    """

  @Test func groupsAreFoundByName() throws {
    let groups = try table().groups
    let one = "\"ZeroShare\": 0.5, \"Gaussians\": [{\"Mean\": 7, \"Deviation\": 2, \"Weight\": 1}]"
    let file = try read([groups[1]: two, groups[0]: one, "another": one])
    let scale = try #require(IntensityScale((0...1000).map { Float($0) / 10 }))
    let model = file.model(on: scale, lanes: 16)
    #expect(model.groups.map(\.count) == [1, 2] && model.zeroShare == [0.5, 1e-4])
    #expect(model.moments(of: 0).mean == 7 && model.moments(of: 1).mean == 45)
    // Weights sum to 1, and no Gaussian is narrower than the scale can show.
    #expect(model.groups[1].map(\.weight) == [0.75, 0.25])
    let least = IntensityModel.leastDeviation * Double(scale.high - scale.low)
    #expect(abs(model.groups[1][1].variance.squareRoot() - least) < 1e-9)
    #expect(abs(model.density(group: 1, 40) / model.density(group: 0, 40)) > 10)
  }

  @Test(arguments: [
    "\"ZeroShare\": 0, \"Gaussians\": []",
    "\"ZeroShare\": 2, \"Gaussians\": [{\"Mean\": 7, \"Deviation\": 2, \"Weight\": 1}]",
    "\"ZeroShare\": 0, \"Gaussians\": [{\"Mean\": 7, \"Deviation\": 0, \"Weight\": 1}]",
    "\"ZeroShare\": 0",
  ])
  func otherContentIsRefused(_ values: String) throws {
    let groups = try table().groups
    #expect(throws: AnatomyError.self) { try read([groups[0]: two, groups[1]: values]) }
  }

  @Test func everyGroupIsNeeded() throws {
    let groups = try table().groups
    #expect(throws: AnatomyError.self) { try read([groups[0]: two]) }
  }
}
