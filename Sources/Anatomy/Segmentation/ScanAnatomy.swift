import Foundation
import Imaging
import Networks
import Parallel

/// The latent z of one scan: first the encoding of its labels under the location prior, then refined on
/// its intensities.
///
/// Minimises -t log p(x given z) - log p(z) with the intensity model fixed, at half the atlas's
/// resolution, where log p(x given z) is the exact form (DESIGN): sum over voxels of log sum over k of
/// f_k(z) p(x given k). Neighbouring voxels are no independent witnesses: t tempers the likelihood.
struct ScanAnatomy {
  private let learned: LearnedPrior
  private let model: WarpingAutoEncoder
  private let output: WarpedPrior
  private let observation: Observation
  private(set) var z: [Float]

  /// t: what a voxel of 8 mm3 counts.
  static let temperature: Float = 0.3
  /// Step size of the refinement (Adam) at its start.
  private static let rate: Float = 0.05

  /// From what is known of a scan so far.
  init(
    _ learned: LearnedPrior, scan: Volume<Float>, fit: ScanFit, prior: LocationPrior
  ) throws {
    self.learned = learned
    model = try learned.network()
    output = learned.halfResolution
    let grid = prior.grid
    let onAtlas = Resampler.linear(
      scan, onto: grid, through: fit.transform.inverse, outside: .nan
    ).volume()
    z = try model.encode(Self.labels(onAtlas, fit, prior)).mean
    observation = Self.observation(onAtlas, fit, prior.table)
  }

  /// The most probable labels on the atlas grid, as positions in the table.
  private static func labels(
    _ scan: Volume<Float>, _ fit: ScanFit, _ prior: LocationPrior
  ) -> [UInt8] {
    var placed = fit
    placed.transform = .identity
    placed.kind = .whole
    let everything = [Bool](repeating: true, count: prior.table.count)
    let labeller = PlaneLabeller(
      prior: prior, fit: placed, grid: prior.grid, isTarget: everything)
    let plane = prior.grid.extents.x * prior.grid.extents.y
    let planes = scan.voxels.withUnsafeBufferPointer { voxels in
      nonisolated(unsafe) let voxels = voxels
      return Parallel.map(prior.grid.extents.z) { z in
        labeller.run(
          plane: z, voxels: UnsafeBufferPointer(rebasing: voxels[z * plane..<(z + 1) * plane]),
          levels: nil
        ).best
      }
    }
    return Array(planes.joined())
  }

  /// Intensities at half the resolution, and what each is worth under each label.
  private static func observation(
    _ scan: Volume<Float>, _ fit: ScanFit, _ table: LabelTable
  ) -> Observation {
    let half = Pyramid.averaged(scan, factors: SIMD3(repeating: 2))
    let grid = half.grid
    let toAtlas = (scan.grid.affine.inverse * grid.affine).scaled(by: scan.grid.spacing)
    let plane = grid.extents.x * grid.extents.y
    let codes = Parallel.map(grid.extents.z) { z in
      (0..<plane).map { voxel -> UInt16 in
        let value = half.voxels[z * plane + voxel]
        guard value == value else { return Observation.unobserved }
        if value == 0 { return IntensityScale.zero }
        let at = toAtlas(
          SIMD3(Double(voxel % grid.extents.x), Double(voxel / grid.extents.x), Double(z)))
        return fit.model.scale.row(value * exp(-fit.bias.logarithm(at: SIMD3<Float>(at))))
      }
    }
    let likelihood = fit.model.table()
    return .exact(
      codes: Array(codes.joined()),
      table: ObservationTable(codes: IntensityScale.rows, labels: table.count) { row, label in
        likelihood.values[row * likelihood.lanes + table.groupOfLabel[label]]
      })
  }

  /// Steps of Adam on z; returns the tempered negative log-posterior before each.
  mutating func refine(steps: Int) throws -> [Double] {
    let (beta1, beta2): (Float, Float) = (0.8, 0.98)
    var first = [Float](repeating: 0, count: z.count)
    var second = first
    var losses: [Double] = []
    for step in 0..<steps {
      let (value, gradient) = try model.loss(
        at: z, observed: observation, scale: Self.temperature, output: output)
      losses.append(value + 0.5 * z.reduce(0.0) { $0 + Double($1) * Double($1) })
      let (unbias1, unbias2) = (
        1 - pow(beta1, Float(step + 1)), 1 - pow(beta2, Float(step + 1))
      )
      // Falls linearly to nothing.
      let rate = Self.rate * (1 - Float(step) / Float(steps))
      for i in z.indices {
        let g = gradient[i] + z[i]
        first[i] = beta1 * first[i] + (1 - beta1) * g
        second[i] = beta2 * second[i] + (1 - beta2) * g * g
        z[i] -= rate * first[i] / unbias1 / ((second[i] / unbias2).squareRoot() + 1e-6)
      }
    }
    return losses
  }

  /// The label prior at z.
  func prior() throws -> LocationPrior { try learned.decoded(model, z) }
}
