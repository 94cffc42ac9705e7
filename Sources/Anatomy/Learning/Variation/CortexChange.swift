import Foundation
import Imaging
import Networks
import Parallel

/// Makes the cortex thinner or thicker by a voxel in regions chosen at random.
///
/// Where it gets thinner, cortex that touches fluid becomes fluid, unless it touches white matter
/// too and would leave none; where it gets thicker, fluid or white matter that touches cortex
/// becomes cortex.
struct CortexChange: Sendable {
  private enum Tissue {
    case other, cortex, fluid, white
  }

  private let extents: SIMD3<Int>
  private let tissueOf: [Tissue]
  private let fluid: UInt8

  /// Distance of the control points of the field that chooses regions, mm.
  private static let controls = 30.0

  /// Nil where a table lacks FreeSurfer's names for cortex, white matter or fluid.
  init?(_ table: LabelTable, extents: SIMD3<Int>) {
    self.extents = extents
    var tissueOf = [Tissue](repeating: .other, count: 256)
    for (position, label) in table.labels.enumerated() {
      tissueOf[position] = Self.tissue(label.name)
    }
    guard tissueOf.contains(.cortex), tissueOf.contains(.white),
      let fluid = tissueOf.firstIndex(of: .fluid)
    else { return nil }
    self.fluid = UInt8(fluid)
    self.tissueOf = tissueOf
  }

  private static func tissue(_ name: String) -> Tissue {
    let name = name.lowercased().replacingOccurrences(of: "_", with: "-")
    if name == "csf" { return .fluid }
    if name.hasSuffix("cerebral-cortex") || name.hasPrefix("ctx-") { return .cortex }
    return name.hasSuffix("cerebral-white-matter") ? .white : .other
  }

  /// A changed copy of a map, as many voxels in the same order. At most about `share` of the cortex
  /// changes, in regions some 30 mm wide, mostly thinner or mostly thicker.
  func apply(
    to map: [UInt8], on grid: Grid, share: Double, _ random: inout Philox,
    into result: inout [UInt8]
  ) {
    let part = max(1e-3, share * Double(random.uniform()))
    // A normal value lies beyond this, on either side, with about this probability.
    let threshold = Float((-0.717 + (0.514 - 1.664 * log(part)).squareRoot()) / 0.832)
    let tendency = 0.5 * random.clippedNormal()
    var field = Displacement(over: grid, spacing: 8)
    field.addSpline(over: grid, controls: Self.controls, deviation: 1, &random)
    for i in field.values.indices { field.values[i].x += tendency }
    let regions = Regions(field: field, spacing: SIMD3<Float>(grid.spacing), threshold: threshold)
    result.withUnsafeMutableBufferPointer { result in
      map.withUnsafeBufferPointer { map in
        nonisolated(unsafe) let (map, result) = (map, result)
        Parallel.forEach(extents.z) { z in
          for y in 0..<extents.y { change(map, y, z, regions, into: result) }
        }
      }
    }
  }

  /// Where the cortex gets thinner or thicker.
  private struct Regions: Sendable {
    /// First how thick, then on which side.
    let field: Displacement
    let spacing: SIMD3<Float>
    let threshold: Float

    @inline(__always)
    func at(_ x: Int, _ y: Int, _ z: Int) -> (thinner: Bool, thicker: Bool, outward: Bool) {
      let value = field.at(SIMD3(Float(x), Float(y), Float(z)) * spacing)
      return (value.x < -threshold, value.x > threshold, value.y > 0)
    }
  }

  /// One row; voxels at the faces of the grid stay as they are.
  private func change(
    _ map: UnsafeBufferPointer<UInt8>, _ y: Int, _ z: Int, _ regions: Regions,
    into result: UnsafeMutableBufferPointer<UInt8>
  ) {
    let (row, slice) = (extents.x, extents.x * extents.y)
    let start = z * slice + y * row
    for voxel in start..<start + row { result[voxel] = map[voxel] }
    guard y > 0, z > 0, y + 1 < extents.y, z + 1 < extents.z, extents.x > 2 else { return }
    for x in 1..<extents.x - 1 {
      let voxel = start + x
      let own = map[voxel]
      let tissue = tissueOf[Int(own)]
      guard tissue != .other else { continue }
      let around = SIMD8(
        map[voxel - 1], map[voxel + 1], map[voxel - row], map[voxel + row], map[voxel - slice],
        map[voxel + slice], own, own)
      if around == SIMD8(repeating: own) { continue }
      var cortex: UInt8?
      var (touchesFluid, touchesWhite) = (false, false)
      for i in 0..<6 {
        switch tissueOf[Int(around[i])] {
        case .cortex: cortex = around[i]
        case .fluid: touchesFluid = true
        case .white: touchesWhite = true
        case .other: break
        }
      }
      if tissue == .cortex {
        if touchesFluid, !touchesWhite, regions.at(x, y, z).thinner { result[voxel] = fluid }
      } else if let cortex {
        let region = regions.at(x, y, z)
        if region.thicker, region.outward == (tissue == .fluid) { result[voxel] = cortex }
      }
    }
  }
}
