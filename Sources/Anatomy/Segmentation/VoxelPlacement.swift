import Foundation
import Imaging

/// Where the voxels of a scan lie in the atlas, and in which rows of the likelihood table.
struct VoxelPlacement: Sendable {
  /// The scan's.
  private(set) var grid: Grid
  private let atlas: Grid
  /// From voxels of the scan to mm along the atlas's axes.
  private var toAtlas: Affine
  /// From such a position to where the label priors have it; nil where they have been displaced already.
  private var displacement: Displacement?
  /// Voxels of the atlas along each axis.
  private let perMM: SIMD3<Float>
  private let scale: IntensityScale
  private let bias: BiasField

  init(_ fit: ScanFit, of grid: Grid, in atlas: Grid) {
    (self.grid, self.atlas) = (grid, atlas)
    toAtlas = (atlas.affine.inverse * fit.transform * grid.affine).scaled(by: atlas.spacing)
    displacement = fit.displacement
    perMM = SIMD3<Float>(1 / atlas.spacing)
    (scale, bias) = (fit.model.scale, fit.bias)
  }

  /// The same for another grid, whose world is reached from the atlas's by the identity.
  func onAtlas(_ grid: Grid) -> VoxelPlacement {
    var result = self
    result.grid = grid
    result.toAtlas = (atlas.affine.inverse * grid.affine).scaled(by: atlas.spacing)
    return result
  }

  /// The same where the affine alone brings the atlas.
  var undisplaced: VoxelPlacement {
    var result = self
    result.displacement = nil
    return result
  }

  /// Calls `body` for each voxel of a run with its place in the run, where it lies undisplaced, in mm along the atlas's
  /// axes, and where the label priors have it, in voxels of the atlas.
  @inline(__always)
  private func visit(
    x: Range<Int>, y: Int, z: Int,
    _ body: (_ i: Int, _ still: SIMD3<Float>, _ position: SIMD3<Float>) -> Void
  ) {
    let start = toAtlas(SIMD3(Double(x.lowerBound), Double(y), Double(z)))
    func visit(_ moved: (SIMD3<Float>) -> SIMD3<Float>) {
      for i in 0..<x.count {
        let still = SIMD3<Float>(start + toAtlas.columns.0 * Double(i))
        body(i, still, moved(still) * perMM)
      }
    }
    guard let displacement else { return visit { $0 } }
    displacement.reading { at in
      visit { still in
        let u = at(still)
        return still + SIMD3(u.x, u.y, u.z)
      }
    }
  }

  /// Where a run of voxels lies in the atlas, in its voxels, three a voxel.
  func positions(x: Range<Int>, y: Int, z: Int) -> [Float] {
    var positions = [Float](repeating: 0, count: 3 * x.count)
    visit(x: x, y: y, z: z) { i, _, position in
      positions[3 * i] = position.x
      positions[3 * i + 1] = position.y
      positions[3 * i + 2] = position.z
    }
    return positions
  }

  /// Places a run of voxels whose intensities are those of `voxels` from index `first` on.
  func place(
    x: Range<Int>, y: Int, z: Int, _ voxels: UnsafeBufferPointer<Float>, from first: Int,
    into run: inout PlacedVoxels
  ) {
    visit(x: x, y: y, z: z) { i, still, position in
      run.set(i, position, row: row(voxels[first + i], at: still))
    }
  }

  /// A run of voxels of a volume on this grid.
  func placed(_ scan: Volume<Float>, x: Range<Int>, y: Int, z: Int) -> PlacedVoxels {
    var run = PlacedVoxels(count: x.count)
    scan.voxels.withUnsafeBufferPointer {
      place(x: x, y: y, z: z, $0, from: grid.index(x.lowerBound, y, z), into: &run)
    }
    return run
  }

  /// The row of the likelihood table of an intensity, without the bias at a position in mm.
  private func row(_ value: Float, at position: SIMD3<Float>) -> UInt16 {
    value == 0 ? IntensityScale.zero : scale.row(value * exp(-bias.logarithm(at: position)))
  }
}

/// A run of voxels along x, placed in the atlas.
struct PlacedVoxels {
  /// Voxels of the atlas, three a voxel.
  private(set) var positions: [Float]
  /// Rows of the likelihood table, one a voxel.
  private(set) var rows: [UInt16]

  init(count: Int) {
    positions = [Float](repeating: 0, count: 3 * count)
    rows = [UInt16](repeating: 0, count: count)
  }

  var count: Int { rows.count }

  @inline(__always)
  fileprivate mutating func set(_ i: Int, _ position: SIMD3<Float>, row: UInt16) {
    positions[3 * i] = position.x
    positions[3 * i + 1] = position.y
    positions[3 * i + 2] = position.z
    rows[i] = row
  }

  /// Some of them alone.
  func chosen(_ places: [Int]) -> PlacedVoxels {
    var result = self
    result.positions = places.flatMap { positions[3 * $0..<3 * $0 + 3] }
    result.rows = places.map { rows[$0] }
    return result
  }
}
