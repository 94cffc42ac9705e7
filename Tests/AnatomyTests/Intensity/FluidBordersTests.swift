import Foundation
import Imaging
import Testing

@testable import Anatomy

/// Voxels that hold both fluid and tissue.
@Suite struct FluidBordersTests {
  private let scale = IntensityScale(low: 0, high: 200)
  private let grid = Fixture.grid(4, 4, 6)

  /// Fluid (1) that shares three voxels with a bright tissue (2) for each that it shares with a grey one (3), which is a
  /// nucleus or the cortex (8).
  private func prior(grey mapping: Int = 9) throws -> LocationPrior {
    let table = try Fixture.table(
      Fixture.label(1, mapping: 3), Fixture.label(2, mapping: 2), Fixture.label(3, mapping: mapping)
    )
    return Fixture.prior(grid, table) { label, voxel in
      let tissue = voxel.x == 0 ? 3 : 2
      return label == 1 ? 105 : label == tissue ? 150 : 0
    }
  }

  private func borders(grey mapping: Int = 9) throws -> FluidBorders {
    try FluidBorders(
      prior(grey: mapping), isFluid: [false, true, false, false],
      isTissue: [false, false, true, true])
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

  /// Voxels at some intensities, by row.
  private func voxels(_ counts: [(intensity: Float, count: Int)]) -> [Int] {
    var rows = [Int](repeating: 0, count: IntensityScale.rows)
    for (intensity, count) in counts { rows[Int(scale.row(intensity))] += count }
    return rows
  }

  /// What is kept at an intensity of fluid that has those voxels.
  private func kept(
    _ model: IntensityModel, _ found: [(Float, Int)], at intensity: Float
  ) throws -> Float {
    try borders().kept(1, found: voxels(found), in: model)[Int(scale.row(intensity))]
  }

  private func expect(
    _ shares: [(Float, Float)], _ model: IntensityModel, _ found: [(Float, Int)]
  ) throws {
    for (intensity, share) in shares {
      #expect(abs(try kept(model, found, at: intensity) - share) < 1e-6, "\(intensity)")
    }
  }

  @Test func fluidEndsHalfwayToEachTissue() throws {
    // A third of its voxels is pure, at 20, the others hold tissue: halfway are 60 and 50.
    let model = model(fluid: [(0.5, 20), (0.5, 40)])
    #expect(try borders().labels == [1])
    try expect(
      [(10, 1), (48, 1), (52, 0.75), (58, 0.75), (62, 0), (120, 0)], model, [(20, 40), (45, 80)])
  }

  /// Seven tenths of the way from 20 to the grey tissue's 80 are 62; to the bright one's 100 it is half.
  @Test func fluidEndsFurtherOutBesideTheCortex() throws {
    let borders = try borders(grey: 8)
    let found = voxels([(20, 40), (45, 80)])
    let kept = borders.kept(1, found: found, in: model(fluid: [(0.5, 20), (0.5, 40)]))
    for (intensity, share) in [(48, 1), (52, 1), (58, 1), (61, 0.25), (64, 0)] as [(Float, Float)] {
      #expect(abs(kept[Int(scale.row(intensity))] - share) < 1e-6, "\(intensity)")
    }
  }

  @Test func orderOfIntensitiesDoesNotMatter() throws {
    // As where fluid is brightest: halfway are 140 and 130.
    let model = model(fluid: [(0.5, 180), (0.5, 155)])
    try expect(
      [(190, 1), (142, 1), (138, 0.25), (132, 0.25), (128, 0), (90, 0)], model,
      [(180, 40), (150, 80)])
  }

  /// Ventricles less bright than sulci: what counts is their own fluid, at 140, and noise beyond it does not.
  @Test func fluidIsThatOfTheLabelItself() throws {
    let model = model(fluid: [(0.5, 180), (0.5, 140)])
    try expect(
      [(180, 1), (140, 1), (122, 1), (118, 0.25), (112, 0.25), (108, 0)], model,
      [(140, 90), (170, 10)])
  }

  @Test func tissueThatLooksLikeFluidTakesNothing() throws {
    let model = model(fluid: [(1, 94)], grey: 90)
    for intensity in stride(from: Float(10), to: 190, by: 10) {
      #expect(try kept(model, [(94, 100)], at: intensity) == 1)
    }
  }

  /// Nothing at two standard deviations of tissue, all of its share at three.
  @Test(arguments: [(92, 1), (90, 0.625), (88, 0.25), (80, 0.25)])
  func whatTissueTakesGrowsWithContrast(fluid: Double, share: Float) throws {
    let model = model(fluid: [(1, fluid)], grey: fluid)
    #expect(abs(try kept(model, [(Float(fluid), 100)], at: 98) - share) < 0.05)
  }

  @Test func aFewVoxelsTellNothing() throws {
    let model = model(fluid: [(1, 20)])
    #expect(try kept(model, [(20, 19)], at: 90) == 1)
    #expect(try kept(model, [], at: 90) == 1)
    #expect(try kept(model, [(20, 20)], at: 90) == 0)
  }

  @Test func everyLabelKeepsItsLikelihoodButFluidBeyondItsBorder() throws {
    let model = model(fluid: [(0.5, 20), (0.5, 40)])
    let (table, columnOf) = try borders().table(
      of: model, groupOf: [0, 1, 2, 3], found: [voxels([(20, 40), (45, 80)])])
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
