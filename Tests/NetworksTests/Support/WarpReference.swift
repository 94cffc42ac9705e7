import Foundation

import Networks

/// The formulas of `WarpedPrior` written out in double precision.
struct WarpReference {
  let extents: Extents
  let factor: Int
  let labels: Int
  let floor: Double
  let reach: Double
  /// `[D, H, W][K]`.
  let dense: [[Double]]

  private var nodes: Extents {
    Extents(extents.depth / factor, extents.height / factor, extents.width / factor)
  }

  /// Where a voxel lies between the nodes along one axis.
  private func place(_ voxel: Int, _ count: Int) -> (low: Int, high: Int, share: Double) {
    let at = max(0, (Double(voxel) + 0.5) / Double(factor) - 0.5)
    let low = min(Int(at), count - 1)
    return (low, min(low + 1, count - 1), at - Double(low))
  }

  /// Masses of all labels at a voxel; shift `[3, nodes]`, logits `[K, nodes]`.
  func masses(_ z: Int, _ y: Int, _ x: Int, shift: [Double], logits: [Double]) -> [Double] {
    let (pz, py, px) = (
      place(z, nodes.depth), place(y, nodes.height), place(x, nodes.width)
    )
    func read(_ values: [Double], _ channel: Int) -> Double {
      var sum = 0.0
      for (a, wa) in [(pz.low, 1 - pz.share), (pz.high, pz.share)] {
        for (b, wb) in [(py.low, 1 - py.share), (py.high, py.share)] {
          for (c, wc) in [(px.low, 1 - px.share), (px.high, px.share)] {
            let node = (a * nodes.height + b) * nodes.width + c
            sum += wa * wb * wc * values[channel * nodes.count + node]
          }
        }
      }
      return sum
    }
    func clamp(_ at: Double, _ extent: Int) -> Double { min(max(at, 0), Double(extent) - 1.001) }
    let at = SIMD3(
      clamp(Double(x) + reach * read(shift, 0), extents.width),
      clamp(Double(y) + reach * read(shift, 1), extents.height),
      clamp(Double(z) + reach * read(shift, 2), extents.depth))
    let first = at.rounded(.down)
    var prior = [Double](repeating: 0, count: labels)
    var blocks = Set<Int>()
    var found = Set<Int>()
    for corner in 0..<8 {
      let step = SIMD3<Double>(
        Double(corner & 1), Double(corner >> 1 & 1), Double(corner >> 2))
      let share = at - first
      let weights = step * share + (1 - step) * (1 - share)
      let (ix, iy, iz) = (
        Int(first.x + step.x), Int(first.y + step.y), Int(first.z + step.z)
      )
      let row = dense[(iz * extents.height + iy) * extents.width + ix]
      for label in 0..<labels where row[label] > 0 {
        prior[label] += weights.x * weights.y * weights.z * row[label]
        blocks.insert(label / 16)
        found.insert(label)
      }
    }
    return (0..<labels).map { label in
      let base = prior[label] + floor
      let counts = blocks.contains(label / 16) && found.count > 1
      return counts ? base * exp(read(logits, label)) : base
    }
  }

  /// The loss in nats, summed over voxels.
  func loss(shift: [Double], logits: [Double], observed: Observation) -> Double {
    let padded = (labels + 15) / 16 * 16
    var total = 0.0
    for voxel in 0..<extents.count {
      let slice = extents.height * extents.width
      let masses = masses(
        voxel / slice, voxel / extents.width % extents.height, voxel % extents.width,
        shift: shift, logits: logits)
      let sum = masses.reduce(0, +)
      switch observed {
      case .labels(let target, let weights):
        let label = Int(target[voxel])
        guard label < labels else { continue }
        total -= Double(weights?[label] ?? 1) * log(masses[label] / sum)
      case .jensen(let codes, let table):
        guard codes[voxel] != Observation.unobserved else { continue }
        let row = Int(codes[voxel]) * padded
        for label in 0..<labels {
          total -= masses[label] / sum * Double(table.values[row + label])
        }
      case .square(let codes, let table):
        guard codes[voxel] != Observation.unobserved else { continue }
        let row = Int(codes[voxel]) * padded
        let mean = (0..<labels).reduce(0) {
          $0 + masses[$1] / sum * Double(table.values[row + $1])
        }
        total += mean * mean / 2
      case .exact(let codes, let table):
        guard codes[voxel] != Observation.unobserved else { continue }
        let row = Int(codes[voxel]) * padded
        let evidence = (0..<labels).map { masses[$0] * Double(table.values[row + $0]) }
        total -= log(evidence.reduce(0, +) / sum)
      }
    }
    return total
  }
}
