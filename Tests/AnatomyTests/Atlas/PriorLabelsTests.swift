import Imaging
import Parallel
import Testing

@testable import Anatomy

/// The most probable labels of a location prior on other grids.
@Suite struct PriorLabelsTests {
  /// A ball of label 1 in background, with an edge of half and half, around a core of label 2.
  private func ball() throws -> LocationPrior {
    let grid = Fixture.grid(20, 18, 16, spacing: 2)
    let table = try Fixture.table(Fixture.label(1), Fixture.label(2))
    return Fixture.prior(grid, table, outside: [0, 1, 0]) { label, voxel in
      let p = grid.affine(SIMD3<Double>(voxel))
      let distance = (p * p).sum().squareRoot()
      let shares: [UInt8] =
        distance < 5
        ? [0, 0, 255]
        : distance < 11
          ? [0, 255, 0]
          : distance < 13
            ? [127, 128, 0]
            : [255, 0, 0]
      return shares[label]
    }
  }

  @Test func onItsOwnGridItIsTheMostProbable() throws {
    let prior = try ball()
    let found = prior.labels(on: prior.grid, through: .identity)
    #expect(found == prior.mostProbableChannels())
  }

  @Test func aTieGoesToTheLowerLabel() throws {
    let grid = Fixture.grid(4, 4, 4)
    let table = try Fixture.table(Fixture.label(1), Fixture.label(2))
    let prior = Fixture.prior(grid, table) { label, voxel in
      label == (voxel.x < 2 ? 2 : 1) ? 255 : 0
    }
    // Half a voxel on: the middle lies between both labels.
    let shifted = Grid(
      extents: SIMD3(3, 4, 4),
      affine: Affine(
        columns: grid.affine.columns, translation: grid.affine(SIMD3(0.5, 0, 0))))
    let found = prior.labels(on: shifted, through: .identity)
    #expect(Array(found.prefix(3)) == [2, 1, 1])
  }

  /// Against the plain formula at every voxel of an oblique, finer grid that reaches beyond the prior.
  @Test func probabilitiesAreInterpolated() throws {
    let prior = try ball()
    let extents = SIMD3(41, 37, 33)
    let grid = Grid(
      extents: extents,
      affine: Affine(rows: [
        [1.1, 0.2, 0, -23], [-0.2, 1.1, 0.1, -17], [0, -0.1, 1.3, -20],
      ]))
    let affine = Affine(rows: [[1, 0.1, 0, 0.3], [0, 0.9, 0, -0.2], [0, 0, 1.1, 0.1]])
    let found = prior.labels(on: grid, through: affine)
    let toVoxel = prior.grid.affine.inverse * affine * grid.affine
    var (differences, beyond) = (0, 0)
    for (index, voxel) in Fixture.voxels(of: grid).enumerated() {
      let at = toVoxel(SIMD3<Double>(voxel))
      let base = at.rounded(.down)
      var shares = [Double](repeating: 0, count: 3)
      for corner in 0..<8 {
        let step = SIMD3(Double(corner & 1), Double(corner >> 1 & 1), Double(corner >> 2))
        let place = base + step
        let away = at - place
        let weight = (1 - abs(away.x)) * (1 - abs(away.y)) * (1 - abs(away.z))
        let e = SIMD3<Double>(prior.grid.extents)
        if any(place .< SIMD3.zero) || any(place .>= e) {
          shares[0] += weight
        } else {
          let values = prior.probabilities(
            at: prior.grid.index(Int(place.x), Int(place.y), Int(place.z)))
          for label in 0..<3 { shares[label] += weight * Double(values[label]) }
        }
      }
      let best = shares.indices.reduce(0) { shares[$1] > shares[$0] ? $1 : $0 }
      let second = shares.enumerated().filter { $0.offset != best }.map(\.element).max() ?? 0
      if best != Int(found[index]), shares[best] - second > 1e-4 { differences += 1 }
      if any(at .< SIMD3(repeating: -1)) { beyond += Int(found[index]) }
    }
    #expect(differences == 0)
    #expect(beyond == 0)
  }

  @Test func sameLabelsForAnyNumberOfThreads() throws {
    let before = Parallel.threads
    defer { Parallel.threads = before }
    let prior = try ball()
    let grid = Fixture.grid(30, 30, 30)
    let runs = [1, 2, 5].map { threads in
      Parallel.threads = threads
      return prior.labels(on: grid, through: .identity)
    }
    #expect(runs.allSatisfy { $0 == runs[0] })
  }
}
