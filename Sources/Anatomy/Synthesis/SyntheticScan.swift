import CKernels
import Foundation
import Imaging
import Parallel

/// A scan drawn from a location prior, with the labels it was drawn from: to show the program, to test it,
/// and to train on, where the answer must be known.
///
/// The prior, placed at random and smoothly displaced, gives each voxel its most probable label; each
/// tissue group gets an intensity; then come partial volume, a bias field and Rician noise. The same seed
/// gives the same scan whatever the number of threads.
package struct SyntheticScan: Sendable {
  package struct Settings: Sendable {
    package var seed: UInt64 = 1
    package var contrast = SyntheticContrast.t1
    /// Standard deviations of the displacement: broad shape and local detail, in mm.
    package var shape = 4.0
    package var detail = 1.2
    /// Largest turn about each axis, in degrees, and change of size along each, as a share.
    package var turn = 8.0
    package var size = 0.08
    /// Standard deviation of the bias field's logarithm.
    package var bias = 0.12
    /// Standard deviation of the noise, as a share of the brightest tissue.
    package var noise = 0.03
    /// Share of each neighbour along an axis in what a voxel averages: partial volume.
    package var blur = 0.125
    /// Standard deviation of each tissue's brightness from place to place, as a share of it.
    package var unevenness = 0.0
    /// Whether everything but the structures of interest is zero.
    package var stripped = false
    package init() {}
  }

  /// Whole numbers from 0 to about 1000, as scanners store them.
  package let scan: Volume<Float>
  package let truth: Volume<Int32>
  /// Scan world mm to atlas world mm, without the displacement.
  package let transform: Affine

  /// Draws a scan on a grid whose world space lies near the prior's.
  package init(_ prior: LocationPrior, on grid: Grid, settings: Settings = Settings()) {
    let pose = Self.pose(about: prior.grid.centre, settings)
    let channels = Self.channels(prior, on: grid, pose: pose, settings)
    let values = prior.table.labels.map(\.index)
    truth = Volume(grid: grid, voxels: channels.map { values[Int($0)] })
    scan = Volume(grid: grid, voxels: Self.intensities(channels, prior.table, grid, settings))
    transform = pose
  }

  /// Draws a scan of a label map on the map's own grid. Values that the table does not know are background.
  package init(of map: Volume<Int32>, table: LabelTable, settings: Settings = Settings()) {
    let channels = map.voxels.map { UInt8(table.position(of: $0) ?? 0) }
    truth = map
    scan = Volume(
      grid: map.grid, voxels: Self.intensities(channels, table, map.grid, settings))
    transform = .identity
  }

  /// Intensities alone, of a label map of positions in the table.
  static func scan(
    of channels: [UInt8], table: LabelTable, on grid: Grid, settings: Settings
  ) -> Volume<Float> {
    Volume(grid: grid, voxels: intensities(channels, table, grid, settings))
  }

  /// Streams of random numbers, one for each purpose.
  private enum Stream: UInt64 {
    case pose, shape, detail, tissues, texture, bias, noise, unevenness

    func random(_ settings: Settings) -> CounterRandom {
      CounterRandom(seed: settings.seed, stream: rawValue)
    }
  }

  /// A grid of 1 mm voxels (or another size) around a point, axes close to R, A and S, tilted as a head
  /// lies in a scanner: nodded by 9 degrees, turned by 4 and leaning by 5.
  package static func tiltedGrid(
    extents: SIMD3<Int>, spacing: Double = 1, around centre: SIMD3<Double>
  ) -> Grid {
    let turned = [(0, 9.0), (2, 4.0), (1, -5.0)].reduce(Affine.identity) {
      AffineRegistration.rotation(axis: $1.0, degrees: $1.1) * $0
    }
    let columns = (
      turned.columns.0 * spacing, turned.columns.1 * spacing, turned.columns.2 * spacing
    )
    let linear = Affine(columns: columns, translation: .zero)
    let middle = (SIMD3<Double>(extents) - SIMD3(repeating: 1)) / 2
    return Grid(
      extents: extents,
      affine: Affine(columns: columns, translation: centre - linear.linear(middle)))
  }

  private static func pose(about centre: SIMD3<Double>, _ settings: Settings) -> Affine {
    let random = Stream.pose.random(settings)
    func between(_ counter: Int, _ most: Double) -> Double {
      most * (2 * random.uniform(counter) - 1)
    }
    var linear = Affine.identity
    for axis in 0..<3 {
      let degrees = between(axis, settings.turn)
      linear = AffineRegistration.rotation(axis: axis, degrees: degrees) * linear
    }
    let sizes = SIMD3(
      1 + between(3, settings.size), 1 + between(4, settings.size), 1 + between(5, settings.size))
    linear = linear.scaled(by: sizes)
    let shift = SIMD3(between(6, 5), between(7, 5), between(8, 5))
    return Affine(columns: linear.columns, translation: centre + shift - linear.linear(centre))
  }

  /// The most probable label at each voxel, as a position in the table. Beyond the prior's grid its nearest
  /// voxel counts.
  private static func channels(
    _ prior: LocationPrior, on grid: Grid, pose: Affine, _ settings: Settings
  ) -> [UInt8] {
    let shape = Displacement.random(
      over: prior.grid, spacing: 30, deviation: settings.shape, Stream.shape.random(settings))
    let detail = Displacement.random(
      over: prior.grid, spacing: 8, deviation: settings.detail, Stream.detail.random(settings))
    let toAtlas = (prior.grid.affine.inverse * pose * grid.affine).scaled(by: prior.grid.spacing)
    let perMM = SIMD3<Float>(1 / prior.grid.spacing)
    let most = SIMD3<Float>(SIMD3<Double>(prior.grid.extents &- SIMD3(repeating: 1)))
    let (width, plane) = (grid.extents.x, grid.extents.x * grid.extents.y)
    let likelihood = LabelLikelihood.even(labels: prior.table.count)
    let rows = [UInt16](repeating: 1, count: width)
    var channels = [UInt8](repeating: 0, count: grid.count)
    channels.withUnsafeMutableBufferPointer { buffer in
      nonisolated(unsafe) let out = buffer
      Parallel.forEach(grid.extents.z) { z in
        var positions = [Float](repeating: 0, count: 3 * width)
        var sums = [Float](repeating: 0, count: prior.table.count)
        for y in 0..<grid.extents.y {
          let start = toAtlas(SIMD3(0, Double(y), Double(z)))
          for x in 0..<width {
            let q = SIMD3<Float>(start + toAtlas.columns.0 * Double(x))
            let u = shape.at(q) + detail.at(q)
            let moved = (q + SIMD3(u.x, u.y, u.z)) * perMM
            let p = moved.clamped(lowerBound: .zero, upperBound: most)
            positions[3 * x] = p.x
            positions[3 * x + 1] = p.y
            positions[3 * x + 2] = p.z
          }
          prior.withKernelPrior { prior in
            likelihood.withKernelLikelihood {
              segpipe_label_posterior(
                prior, positions, rows, width, $0, 0, 0,
                out.baseAddress.map { $0 + z * plane + y * width }, nil, &sums)
            }
          }
        }
      }
    }
    return channels
  }

  private static func intensities(
    _ channels: [UInt8], _ table: LabelTable, _ grid: Grid, _ settings: Settings
  ) -> [Float] {
    let tissues = TissueIntensities(
      settings.contrast, table: table, Stream.tissues.random(settings))
    let texture = Stream.texture.random(settings)
    let noise = Stream.noise.random(settings)
    let field = Displacement.random(
      over: grid, spacing: 60, deviation: settings.bias, Stream.bias.random(settings))
    let uneven = Displacement.random(
      over: grid, spacing: 20, deviation: settings.unevenness, Stream.unevenness.random(settings))
    let groupOf = table.groupOfLabel
    let mixes = table.groups.indices.map { Self.mix(ofGroup: $0) }
    let isKept = table.isOfInterest.map { !settings.stripped || $0 }
    let (width, plane) = (grid.extents.x, grid.extents.x * grid.extents.y)
    let spacing = SIMD3<Float>(grid.spacing)
    var values = [Float](repeating: 0, count: grid.count)
    values.withUnsafeMutableBufferPointer { buffer in
      nonisolated(unsafe) let out = buffer
      Parallel.forEachRange(of: grid.count, size: 1 << 14) { range in
        for voxel in range {
          let group = groupOf[Int(channels[voxel])]
          let drawn = tissues.deviations[group] * Float(texture.normals(voxel).0)
          var mean = tissues.means[group]
          if settings.unevenness > 0 {
            let at = SIMD3<Float>(
              Float(voxel % width), Float(voxel % plane / width), Float(voxel / plane))
            mean *= 1 + (mixes[group] * uneven.at(at * spacing)).sum()
          }
          out[voxel] = max(0, mean + drawn)
        }
      }
    }
    blur(&values, grid.extents, share: Float(settings.blur))
    values.withUnsafeMutableBufferPointer { buffer in
      nonisolated(unsafe) let out = buffer
      Parallel.forEach(grid.extents.z) { z in
        for i in 0..<plane {
          let voxel = z * plane + i
          let at = SIMD3<Float>(Float(i % width), Float(i / width), Float(z)) * spacing
          let (real, imaginary) = noise.normals(voxel)
          let signal = out[voxel] * exp(field.at(at).x) + Float(settings.noise * real)
          let other = Float(settings.noise * imaginary)
          let value = (800 * (signal * signal + other * other).squareRoot()).rounded()
          // Exact zeros in a stripped scan are what was taken off, and nothing else.
          out[voxel] =
            isKept[Int(channels[voxel])] ? (settings.stripped ? max(1, value) : value) : 0
        }
      }
    }
    return values
  }

  /// Weights of three fields, of squares that sum to 1: another mixture for each group.
  private static func mix(ofGroup group: Int) -> SIMD4<Float> {
    let angle = 2.4 * Double(group)
    let height = (Double(group * 5 % 11) - 5) / 5.5
    let radius = (1 - height * height).squareRoot()
    return SIMD4(
      Float(radius * cos(angle)), Float(radius * sin(angle)), Float(height), 0)
  }

  /// Partial volume: averages with weights `share`, 1 - 2 `share`, `share` along each axis, edges repeated.
  private static func blur(_ values: inout [Float], _ extents: SIMD3<Int>, share: Float) {
    let strides = [1, extents.x, extents.x * extents.y]
    for axis in 0..<3 where extents[axis] > 1 {
      let (step, size) = (strides[axis], extents[axis])
      let source = values
      values.withUnsafeMutableBufferPointer { buffer in
        source.withUnsafeBufferPointer { source in
          nonisolated(unsafe) let (out, source) = (buffer, source)
          Parallel.forEachRange(of: source.count, size: 1 << 16) { range in
            for voxel in range {
              let place = voxel / step % size
              let before = place > 0 ? source[voxel - step] : source[voxel]
              let after = place + 1 < size ? source[voxel + step] : source[voxel]
              out[voxel] = (1 - 2 * share) * source[voxel] + share * (before + after)
            }
          }
        }
      }
    }
  }
}
