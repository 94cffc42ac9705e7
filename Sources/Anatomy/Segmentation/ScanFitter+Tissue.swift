import Foundation
import Imaging

extension ScanFitter {
  /// `information()` among voxels that are neither exactly zero nor missing, in nats a sample: a mask that
  /// was cut out of a scan fits the atlas whatever is left inside it.
  ///
  /// The mean of log p(x | x other than 0, place) - log p(x | x other than 0).
  func tissueInformation() -> Double {
    let (zero, missing) = (Int(IntensityScale.zero), Int(IntensityScale.missing))
    let without = tissueDensities().map { log(max($0, 1e-37)) }
    let here = groups.likelihoods(positions: positions, rows: samples.rows, table: table)
    let padding = groups.likelihoods(
      positions: positions, rows: [UInt16](repeating: IntensityScale.zero, count: samples.count),
      table: table)
    var (sum, count) = (0.0, 0)
    for (j, row) in samples.rows.enumerated() where Int(row) != zero && Int(row) != missing {
      let present = max(Self.leastPresent, 1 - Double(padding[j]))
      sum += log(Double(here[j]) / present) - without[Int(row)]
      count += 1
    }
    return count > 0 ? sum / Double(count) : 0
  }

  /// Least probability of other than zero that a density is divided by.
  private static let leastPresent = 1e-4

  /// p(row | row other than zero) without any place.
  private func tissueDensities() -> [Double] {
    let counts = groups.histogram(positions: positions, rows: samples.rows, table: table).counts
    let shares = (0..<groups.groups).map { counts.sum(of: $0) }
    let total = max(shares.reduce(0, +), 1e-9)
    let present = shares.indices.map { group in
      max(Self.leastPresent, 1 - Double(table[Int(IntensityScale.zero), group]))
    }
    return (0..<IntensityScale.rows).map { row in
      shares.indices.reduce(0.0) { sum, group in
        let density = Double(table[row, group])
        return sum + shares[group] / total * density / present[group]
      }
    }
  }
}
