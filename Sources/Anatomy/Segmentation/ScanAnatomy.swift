import Foundation
import Imaging
import Networks
import Parallel

/// The latent z of one scan: first encoded, then refined, both on its intensities.
///
/// Minimises -t log p(x given z) - log p(z) with the intensity model fixed, at half the atlas's
/// resolution, where log p(x given z) is the exact form (DESIGN), sum over voxels of log sum over k of
/// f_k(z) p(x given k), or the Jensen bound below it. Neighbouring voxels are no independent witnesses: t tempers the likelihood.
package struct ScanAnatomy {
  private let learned: LearnedPrior
  private let model: WarpingAutoEncoder
  private let observation: Observation
  private(set) var z: [Float]
  /// log of the variances of q(z given the scan).
  private let logVariance: [Float]

  /// t: what a voxel of 8 mm3 counts. The higher it is, the more z explains what is no anatomy: on three
  /// real scans 30 steps give 0.839 Dice at 0.05, 0.843 at 0.015.
  package static let temperature: Float = 0.03
  /// What of the encoder's mean z starts from: the most probable z lies nearer to zero than the mean of what is
  /// possible. The loss is least at 0.7 to 0.8 of it on each of the real scans that the encoder learned from.
  private static let start: Float = 0.75
  /// Step size of the refinement (Adam) at its start.
  private static let rate: Float = 0.05

  /// From a scan as the learned prior sees it.
  init(
    _ learned: LearnedPrior, reader: ScanReader, seen: ScanObservation,
    likelihood: EncoderSettings.Likelihood
  ) {
    self.learned = learned
    model = reader.model
    observation = likelihood == .exact ? seen.exact : seen.jensen
    let latent = reader.encode(seen.exact)
    (z, logVariance) = (latent.mean.map { Self.start * $0 }, latent.logVariance)
  }

  /// Forgets what was encoded.
  mutating func startFromZero() { z = [Float](repeating: 0, count: z.count) }

  /// Tempered, nats.
  struct Loss {
    /// -t log p(x given z).
    let likelihood: Double
    /// -log p(z), up to a constant.
    let penalty: Double

    var total: Double { likelihood + penalty }
  }

  /// At z. Throws `NetworkError`.
  func loss() throws -> Loss {
    let value = try model.value(at: z, observed: observation)
    return Loss(likelihood: Double(Self.temperature) * value, penalty: penalty)
  }

  private var penalty: Double { 0.5 * z.reduce(0.0) { $0 + Double($1) * Double($1) } }

  /// A scan on the atlas grid under an affine, scan world mm to atlas world mm; not a number outside the scan.
  static func onAtlas(_ scan: Volume<Float>, _ transform: Affine, _ grid: Grid) -> Volume<Float> {
    Resampler.linear(scan, onto: grid, through: transform.inverse, outside: .nan).volume()
  }

  /// Its averages over 2x2x2 voxels of the atlas grid.
  static func halved(_ onAtlas: Volume<Float>) -> Volume<Float> {
    Pyramid.averaged(onAtlas, factors: SIMD3(repeating: 2))
  }

  /// The same with a bias field taken off.
  static func corrected(_ half: Volume<Float>, _ bias: BiasField, _ grid: Grid) -> Volume<Float> {
    let toAtlas = (grid.affine.inverse * half.grid.affine).scaled(by: grid.spacing)
    var voxels = half.voxels
    let (width, height) = (half.grid.extents.x, half.grid.extents.y)
    voxels.withUnsafeMutableBufferPointer { buffer in
      nonisolated(unsafe) let out = buffer
      Parallel.forEach(half.grid.extents.z) { z in
        for y in 0..<height {
          for x in 0..<width {
            let at = toAtlas(SIMD3(Double(x), Double(y), Double(z)))
            out[(z * height + y) * width + x] *= exp(-bias.logarithm(at: SIMD3<Float>(at)))
          }
        }
      }
    }
    return Volume(grid: half.grid, voxels: voxels)
  }

  /// Steps of Adam on z; returns the loss before each.
  mutating func refine(steps: Int) throws -> [Loss] {
    let (beta1, beta2): (Float, Float) = (0.8, 0.98)
    var first = [Float](repeating: 0, count: z.count)
    var second = first
    var losses: [Loss] = []
    for step in 0..<steps {
      let (value, gradient) = try model.loss(
        at: z, observed: observation, scale: Self.temperature, output: model.halfOutput)
      losses.append(Loss(likelihood: value, penalty: penalty))
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

  /// The label prior at a sample of q(z given the scan), its mean moved to z. Depends on number and seed
  /// alone.
  func sample(_ number: Int, seed: UInt64, parts: DecodedParts) throws -> LocationPrior {
    var random = Philox(seed: seed, .anatomies, number: UInt64(number))
    let latent = GaussianLatent(mean: z, logVariance: logVariance)
    return try learned.decoded(
      model, latent.sample(z.map { _ in random.normal() }), parts: parts)
  }

  /// The label prior at z, as `LearnedPrior.decoded` makes it.
  func prior(parts: DecodedParts) throws -> LocationPrior {
    try learned.decoded(model, z, parts: parts)
  }
}
