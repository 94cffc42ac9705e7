import Foundation
import Imaging
import Networks
import Parallel

/// Makes the cortex thinner or thicker by a voxel in regions chosen at random.
///
/// Where it gets thinner, cortex that touches fluid becomes fluid, unless it touches white matter too and
/// would leave none; where it gets thicker, fluid or white matter that touches cortex becomes cortex.
struct CortexChange: Sendable {
  private enum Tissue: UInt8 {
    case other, cortex, fluid, white
  }

  private let extents: SIMD3<Int>
  private let tissueOf: [UInt8]
  private let fluid: UInt8

  /// Distance of the control points of the field that chooses regions, mm.
  private static let controls = 30.0

  /// Nil where a table lacks FreeSurfer's names for cortex, white matter or fluid.
  init?(_ table: LabelTable, extents: SIMD3<Int>) {
    self.extents = extents
    var tissueOf = [UInt8](repeating: Tissue.other.rawValue, count: 256)
    for (position, label) in table.labels.enumerated() {
      if let tissue = Self.tissue(label.name) { tissueOf[position] = tissue.rawValue }
    }
    guard tissueOf.contains(Tissue.cortex.rawValue), tissueOf.contains(Tissue.white.rawValue),
      let fluid = tissueOf.firstIndex(of: Tissue.fluid.rawValue)
    else { return nil }
    self.fluid = UInt8(fluid)
    self.tissueOf = tissueOf
  }

  private static func tissue(_ name: String) -> Tissue? {
    let name = name.lowercased().replacingOccurrences(of: "_", with: "-")
    if name == "csf" { return .fluid }
    if name.hasSuffix("cerebral-cortex") || name.hasPrefix("ctx-") { return .cortex }
    return name.hasSuffix("cerebral-white-matter") ? .white : nil
  }

  /// A changed copy of a map. At most about `share` of the cortex changes.
  func apply(
    to map: [UInt8], on grid: Grid, share: Double, _ random: inout Philox,
    into result: inout [UInt8]
  ) {
    let part = max(1e-3, share * Double(random.uniform()))
    // |z| of a normal value is beyond this with about this probability.
    let threshold = Float((-0.717 + (0.514 - 1.664 * log(part)).squareRoot()) / 0.832)
    let tendency = 0.5 * random.clippedNormal()
    var field = Displacement(over: grid, spacing: 8)
    field.addSpline(over: grid, controls: Self.controls, deviation: 1, &random)
    let spacing = SIMD3<Float>(grid.spacing)
    let chosen = field
    let strides = [1, extents.x, extents.x * extents.y]
    let extents = extents
    result.withUnsafeMutableBufferPointer { result in
      map.withUnsafeBufferPointer { map in
        tissueOf.withUnsafeBufferPointer { tissueOf in
          nonisolated(unsafe) let (map, out, tissueOf) = (map, result, tissueOf)
          Parallel.forEach(extents.z) { z in
            var voxel = z * strides[2]
            for y in 0..<extents.y {
              let edge = z == 0 || y == 0 || z == extents.z - 1 || y == extents.y - 1
              for x in 0..<extents.x {
                defer { voxel += 1 }
                let own = map[voxel]
                out[voxel] = own
                let tissue = tissueOf[Int(own)]
                guard tissue != Tissue.other.rawValue, !edge, x > 0, x < extents.x - 1 else {
                  continue
                }
                var touches: (cortex: UInt8?, fluid: Bool, white: Bool) = (nil, false, false)
                for offset in [-1, 1, -strides[1], strides[1], -strides[2], strides[2]] {
                  let other = map[voxel + offset]
                  switch tissueOf[Int(other)] {
                  case Tissue.cortex.rawValue: touches.cortex = other
                  case Tissue.fluid.rawValue: touches.fluid = true
                  case Tissue.white.rawValue: touches.white = true
                  default: break
                  }
                }
                let place = SIMD3(Float(x), Float(y), Float(z)) * spacing
                if tissue == Tissue.cortex.rawValue {
                  guard touches.fluid, !touches.white else { continue }
                  if chosen.at(place).x + tendency < -threshold { out[voxel] = fluid }
                } else if let cortex = touches.cortex {
                  let value = chosen.at(place)
                  guard value.x + tendency > threshold else { continue }
                  if (tissue == Tissue.fluid.rawValue) == (value.y > 0) { out[voxel] = cortex }
                }
              }
            }
          }
        }
      }
    }
  }
}
