import Foundation
import Imaging
import Parallel

/// How a map's ventricles grow and shrink, and push and pull the tissue around them.
///
/// Tissue flows along the gradient of p, where laplacian p - p / reach^2 = 1 in the ventricles and
/// 0 elsewhere: it spreads evenly within them, keeps its volume close by, and is squeezed farther
/// away, as far as the skull allows. Following a steady flow folds nothing, however far.
struct VentricleFlow: Sendable {
  /// Volume of the ventricles in atlas space, mm3.
  let volume: Double
  /// Velocity of positions in the map at the nodes, mm for a distance of 1: against the tissue's.
  private let velocity: Displacement
  /// Volumes relative to `volume` after each number of steps of `stepLength` from `-stepsBack` on,
  /// ascending.
  private let ratios: [Double]

  /// How far the tissue around is moved, mm.
  static let reach = 20.0
  private static let stepLength: Float = 0.2
  private static let (stepsBack, stepsOn) = (8, 60)

  /// Which labels of a table are ventricles of the forebrain: those of FreeSurfer's names. The
  /// choroid plexus in them is tissue, which does not grow with them.
  static func labels(of table: LabelTable) -> [Bool] {
    let names = ["lateral-ventricle", "inf-lat-vent", "3rd-ventricle"]
    return table.labels.map { $0.isNamed(names) }
  }

  /// Nil where the map has no voxel of such a label.
  init?(_ channels: [UInt8], _ members: [Bool], _ grid: Grid, spacing: Double) {
    var field = Displacement(over: grid, spacing: spacing)
    guard let share = Self.share(channels, members, grid, field) else { return nil }
    volume = share.reduce(0.0) { $0 + Double($1.x) } * spacing * spacing * spacing
    let potential = Self.potential(share, field.nodes, spacing: Float(spacing))
    Self.setVelocity(&field, potential)
    velocity = field
    ratios = Self.ratios(field, share)
  }

  private static func ratios(_ velocity: Displacement, _ share: [SIMD4<Float>]) -> [Double] {
    var field = velocity
    field.values = share
    let own = share.reduce(0.0) { $0 + Double($1.x) }
    let start = nodesAround(share, velocity.nodes, margin: Int(reach / Double(velocity.spacing)))
      .map { $0 * velocity.spacing }
    func path(_ step: Float, _ count: Int) -> [Double] {
      var positions = start
      return (0..<count).map { _ in
        var sum = 0.0
        for i in positions.indices {
          let v = velocity.at(positions[i]) * step
          positions[i] += SIMD3(v.x, v.y, v.z)
          sum += Double(field.at(positions[i]).x)
        }
        return sum / own
      }
    }
    return path(-stepLength, stepsBack).reversed() + [1] + path(stepLength, stepsOn)
  }

  /// The nodes of the box around those with a share and a margin, where grown ventricles may lie.
  private static func nodesAround(
    _ share: [SIMD4<Float>], _ nodes: SIMD3<Int>, margin: Int
  ) -> [SIMD3<Float>] {
    let all = share.indices.map { i in
      SIMD3(i % nodes.x, i / nodes.x % nodes.y, i / (nodes.x * nodes.y))
    }
    var (low, high) = (nodes, SIMD3<Int>.zero)
    for (node, place) in all.enumerated() where share[node].x > 0 {
      low = pointwiseMin(low, place &- SIMD3(repeating: margin))
      high = pointwiseMax(high, place &+ SIMD3(repeating: margin))
    }
    return all.filter { place in
      !any(place .< low) && !any(place .> high)
    }.map { SIMD3<Float>($0) }
  }

  /// How far to flow so that the ventricles have a volume relative to the map's own; as far as is
  /// known where that is out of reach.
  func distance(forRatio ratio: Double) -> Float {
    guard let next = ratios.firstIndex(where: { $0 >= ratio }) else {
      return Float(Self.stepsOn) * Self.stepLength
    }
    guard next > 0 else { return -Float(Self.stepsBack) * Self.stepLength }
    let fraction = (ratio - ratios[next - 1]) / (ratios[next] - ratios[next - 1])
    return (Float(next - 1 - Self.stepsBack) + Float(fraction)) * Self.stepLength
  }

  /// Lets the positions that a displacement leads to flow on by a distance.
  func move(_ field: inout Displacement, by distance: Float) {
    let steps = Int((abs(distance) / Self.stepLength).rounded(.up))
    guard steps > 0 else { return }
    let step = distance / Float(steps)
    let (nodes, spacing) = (field.nodes, field.spacing)
    field.values.withUnsafeMutableBufferPointer { buffer in
      velocity.values.withUnsafeBufferPointer { velocities in
        nonisolated(unsafe) let (values, velocities) = (buffer, velocities)
        Parallel.forEach(nodes.z) { z in
          var node = z * nodes.x * nodes.y
          for y in 0..<nodes.y {
            for x in 0..<nodes.x {
              let at = SIMD3(Float(x), Float(y), Float(z)) * spacing
              var u = values[node]
              for _ in 0..<steps {
                let cell = velocity.cell(at + SIMD3(u.x, u.y, u.z))
                u += Displacement.interpolate(velocities, cell) * step
              }
              values[node] = u
              node += 1
            }
          }
        }
      }
    }
  }
}
