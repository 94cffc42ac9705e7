import Foundation
import Imaging
import Testing

@testable import Anatomy

/// Voxels that hold both fluid and tissue.
@Suite struct FluidBordersTests {
  private let scale = IntensityScale(low: 0, high: 200)
  private let grid = Fixture.grid(4, 4, 6)

  /// Fluid (1) that shares three voxels with a bright tissue (2) for each that it shares with a grey one (3).
  private func prior() throws -> LocationPrior {
    let table = try Fixture.table(
      Fixture.label(1, mapping: 3), Fixture.label(2, mapping: 2), Fixture.label(3, mapping: 8))
    return Fixture.prior(grid, table) { label, voxel in
      let tissue = voxel.x == 0 ? 3 : 2
      return label == 1 ? 105 : label == tissue ? 150 : 0
    }
  }

  private func borders() throws -> FluidBorders {
    try FluidBorders(
      prior(), isFluid: [false, true, false, false], isTissue: [false, false, true, true])
  }

  private func model(fluid: [(Double, Double)], grey: Double = 80) -> IntensityModel {
    func component(_ weight: Double, _ mean: Double, _ deviation: Double)
      -> IntensityModel.Component
    { IntensityModel.Component(weight: weight, mean: mean, variance: deviation * deviation) }
    return IntensityModel(
      groups: [
        [component(1, 5, 5)], fluid.map { component($0.0, $0.1, 12) }, [component(1, 100, 4)],
        [component(1, grey, 5)],
      ], zeroShare: [0.9, 0.01, 0.01, 0.01], scale: scale, lanes: 16)
  }

  private func kept(_ borders: FluidBorders, _ model: IntensityModel, at intensity: Float) -> Float
  { borders.kept(1, of: 1, in: model)[Int(scale.row(intensity))] }

  @Test func fluidEndsHalfwayToEachTissue() throws {
    // The Gaussian at 20 is pure, that at 40 holds tissue: halfway are 60 and 50.
    let model = model(fluid: [(0.5, 20), (0.5, 40)])
    let borders = try borders()
    #expect(borders.labels == [1])
    for (intensity, share) in [(10, 1), (48, 1), (52, 0.75), (58, 0.75), (62, 0), (120, 0)] {
      #expect(
        abs(kept(borders, model, at: Float(intensity)) - Float(share)) < 1e-6, "\(intensity)")
    }
  }

  @Test func orderOfIntensitiesDoesNotMatter() throws {
    // As where fluid is brightest: halfway are 140 and 130.
    let model = model(fluid: [(0.5, 180), (0.5, 155)])
    for (intensity, share) in [(190, 1), (142, 1), (138, 0.25), (132, 0.25), (128, 0), (90, 0)] {
      #expect(
        abs(kept(try borders(), model, at: Float(intensity)) - Float(share)) < 1e-6, "\(intensity)")
    }
  }

  /// Sulci brighter than ventricles: the ventricles are no border.
  @Test func fluidsThatDifferAreBothKept() throws {
    let model = model(fluid: [(0.5, 180), (0.5, 130)])
    for intensity in stride(from: Float(90), to: 190, by: 10) {
      #expect(kept(try borders(), model, at: intensity) == 1)
    }
  }

  @Test func tissueThatLooksLikeFluidTakesNothing() throws {
    let model = model(fluid: [(1, 92)], grey: 90)
    for intensity in stride(from: Float(10), to: 190, by: 10) {
      #expect(kept(try borders(), model, at: intensity) == 1)
    }
  }

  @Test func everyLabelKeepsItsLikelihoodButFluidBeyondItsBorder() throws {
    let model = model(fluid: [(0.5, 20), (0.5, 40)])
    let (table, columnOf) = try borders().table(of: model, groupOf: [0, 1, 2, 3])
    let plain = model.table()
    #expect(columnOf == [0, 4, 2, 3])
    for row in 0..<IntensityScale.rows {
      for label in [0, 2, 3] {
        #expect(
          table.values[row * table.lanes + Int(columnOf[label])]
            == plain.values[row * plain.lanes + label])
      }
      let (own, before) = (table.values[row * table.lanes + 4], plain.values[row * plain.lanes + 1])
      #expect(own <= max(before, 1e-12))
      if row <= Int(scale.row(45)) { #expect(own == before) }
    }
    // Two thirds of the way to the bright tissue, whose density is next to nothing there.
    let row = Int(scale.row(73))
    #expect(plain.values[row * plain.lanes + 1] > 5 * plain.values[row * plain.lanes + 2])
    #expect(table.values[row * table.lanes + 4] < table.values[row * table.lanes + 2])
  }
}
