import CKernels
import Foundation
import Imaging
import Parallel

/// A fixed set of a scan's voxels at one resolution: what every candidate of a registration is scored on.
package struct ScanSamples: Sendable {
  /// World mm, three a sample.
  package let world: [Float]
  /// Rows of the likelihood table, one a sample.
  package var rows: [UInt16]
  /// Intensities that the rows were made from, one a sample; empty for samples of label maps.
  package private(set) var intensities: [Float] = []
  /// Volume that a sample stands for, in mm3.
  package let volume: Double

  package var count: Int { rows.count }

  /// Samples from anywhere: three numbers of `world` each.
  init(world: [Float], rows: [UInt16], volume: Double) {
    self.world = world
    self.rows = rows
    self.volume = volume
  }

  /// Samples are cut into ranges of this size, whatever the number of threads.
  static let chunk = 4096

  /// The voxels of a level that `keep` keeps.
  package init(
    _ level: Volume<Float>, scale: IntensityScale,
    keep: @Sendable (Int, Int, Int) -> Bool = { _, _, _ in true }
  ) {
    let grid = level.grid
    let planes = withoutActuallyEscaping(keep) { keep in
      Parallel.map(grid.extents.z) { z in
        var (world, intensities): ([Float], [Float]) = ([], [])
        for y in 0..<grid.extents.y {
          let start = grid.affine(SIMD3(0, Double(y), Double(z)))
          for x in 0..<grid.extents.x where keep(x, y, z) {
            let at = start + grid.affine.columns.0 * Double(x)
            world.append(Float(at.x))
            world.append(Float(at.y))
            world.append(Float(at.z))
            intensities.append(level.voxels[grid.index(x, y, z)])
          }
        }
        return (world: world, intensities: intensities)
      }
    }
    world = planes.flatMap(\.world)
    intensities = planes.flatMap(\.intensities)
    rows = intensities.map { scale.row($0) }
    volume = grid.voxelVolume
  }

  /// Rows of the intensities after division by exp(b).
  mutating func correct(_ b: [Float], scale: IntensityScale) {
    let (count, intensities) = (count, intensities)
    rows.withUnsafeMutableBufferPointer { buffer in
      nonisolated(unsafe) let out = buffer
      Parallel.forEachRange(of: count, size: 1 << 15) { range in
        for j in range { out[j] = scale.row(intensities[j] * exp(-b[j])) }
      }
    }
  }

  /// Positions in a prior, three a sample, under a map from world mm.
  package func positions(_ map: Affine) -> [Float] {
    var result = [Float](repeating: 0, count: world.count)
    let columns = (
      SIMD3<Float>(map.columns.0), SIMD3<Float>(map.columns.1), SIMD3<Float>(map.columns.2)
    )
    let translation = SIMD3<Float>(map.translation)
    let count = count
    result.withUnsafeMutableBufferPointer { buffer in
      nonisolated(unsafe) let out = buffer
      world.withUnsafeBufferPointer { world in
        nonisolated(unsafe) let world = world
        Parallel.forEachRange(of: count, size: Self.chunk * 4) { range in
          for j in range {
            let x = world[3 * j]
            let y = world[3 * j + 1]
            let z = world[3 * j + 2]
            let p = columns.0 * x + columns.1 * y + columns.2 * z + translation
            out[3 * j] = p.x
            out[3 * j + 1] = p.y
            out[3 * j + 2] = p.z
          }
        }
      }
    }
    return result
  }
}

extension GroupPrior {
  /// Sum over samples of the log-likelihood in nats; gradients in position, three a sample, go to
  /// `gradients` where given.
  func logLikelihood(
    positions: [Float], rows: [UInt16], table: LikelihoodTable, gradients: inout [Float]?
  ) -> Double {
    if gradients != nil {
      var values = gradients ?? []
      gradients = nil
      let sum = values.withUnsafeMutableBufferPointer {
        run(positions, rows, table, gradients: $0.baseAddress, likelihoods: nil)
      }
      gradients = values
      return sum
    }
    return run(positions, rows, table, gradients: nil, likelihoods: nil)
  }

  /// The likelihood of each sample, at least 1e-37.
  func likelihoods(
    positions: [Float], rows: [UInt16], table: LikelihoodTable
  ) -> [Float] {
    [Float](unsafeUninitializedCapacity: rows.count) { buffer, filled in
      _ = run(positions, rows, table, gradients: nil, likelihoods: buffer.baseAddress)
      filled = rows.count
    }
  }

  private func run(
    _ positions: [Float], _ rows: [UInt16], _ table: LikelihoodTable,
    gradients: UnsafeMutablePointer<Float>?, likelihoods: UnsafeMutablePointer<Float>?
  ) -> Double {
    let count = rows.count
    let chunks = (count + ScanSamples.chunk - 1) / ScanSamples.chunk
    return withKernelPrior { prior in
      positions.withUnsafeBufferPointer { positions in
        rows.withUnsafeBufferPointer { rows in
          table.values.withUnsafeBufferPointer { values in
            table.floor.withUnsafeBufferPointer { floor in
              nonisolated(unsafe) let (prior, positions, rows) = (prior, positions, rows)
              nonisolated(unsafe) let (values, floor) = (values, floor)
              nonisolated(unsafe) let (gradients, likelihoods) = (gradients, likelihoods)
              return Parallel.map(chunks) { chunk in
                let start = chunk * ScanSamples.chunk
                let n = min(ScanSamples.chunk, count - start)
                guard let p = positions.baseAddress, let r = rows.baseAddress else { return 0.0 }
                return segpipe_prior_likelihood(
                  prior, p + 3 * start, r + start, n, values.baseAddress, floor.baseAddress,
                  gradients.map { $0 + 3 * start }, likelihoods.map { $0 + start })
              }.reduce(0, +)
            }
          }
        }
      }
    }
  }

  /// What posteriors of groups sum to, and the log-likelihood in nats.
  func histogram(
    positions: [Float], rows: [UInt16], table: LikelihoodTable
  ) -> (counts: GroupHistogram, logLikelihood: Double) {
    let size = IntensityScale.rows * lanes
    let count = rows.count
    // At most 16 partial histograms, each in single precision over a bounded number of samples.
    let chunk = max(ScanSamples.chunk, (count + 15) / 16)
    let chunks = (count + chunk - 1) / chunk
    let live = (0..<lanes).map { Float($0 < groups ? 1 : 0) }
    let parts: [([Float], Double)] = withKernelPrior { prior in
      positions.withUnsafeBufferPointer { positions in
        rows.withUnsafeBufferPointer { rows in
          table.values.withUnsafeBufferPointer { values in
            nonisolated(unsafe) let (prior, positions, rows) = (prior, positions, rows)
            nonisolated(unsafe) let values = values
            return Parallel.map(chunks) { part in
              var histogram = [Float](repeating: 0, count: size)
              let start = part * chunk
              let n = min(chunk, count - start)
              guard let p = positions.baseAddress, let r = rows.baseAddress else {
                return (histogram, 0.0)
              }
              let sum = segpipe_prior_histogram(
                prior, p + 3 * start, r + start, n, values.baseAddress, live, LikelihoodTable.alpha,
                &histogram)
              return (histogram, sum)
            }
          }
        }
      }
    }
    var counts = GroupHistogram(lanes: lanes)
    var sum = 0.0
    for (histogram, partial) in parts {
      counts.add(histogram)
      sum += partial
    }
    return (counts, sum)
  }
}
