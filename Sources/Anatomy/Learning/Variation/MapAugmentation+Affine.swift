import Foundation
import Imaging
import Networks

extension MapAugmentation.Settings {
  /// A random affine about the centre of the grid, of positions in mm along its axes.
  func affine(over grid: Grid, _ random: inout Philox) -> Affine {
    func normal(_ deviation: Double) -> Double { deviation * Double(random.clippedNormal()) }
    var linear = Affine.identity
    for axis in 0..<3 {
      linear = AffineRegistration.rotation(axis: axis, degrees: normal(rotation)) * linear
    }
    let sheared = Affine(
      columns: (
        SIMD3(1, 0, 0), SIMD3(normal(shear), 1, 0), SIMD3(normal(shear), normal(shear), 1)
      ), translation: .zero)
    let sizes = SIMD3(exp(normal(size)), exp(normal(size)), exp(normal(size)))
    linear = (linear * sheared).scaled(by: sizes)
    let shift = SIMD3(normal(shift), normal(shift), normal(shift))
    let centre = (SIMD3<Double>(grid.extents) - SIMD3(repeating: 1)) / 2 * grid.spacing
    return Affine(columns: linear.columns, translation: centre + shift - linear.linear(centre))
  }
}

extension Philox {
  /// Normal with mean 0 and deviation 1, values beyond 2.5 moved there.
  mutating func clippedNormal() -> Float { min(2.5, max(-2.5, normal())) }
}
