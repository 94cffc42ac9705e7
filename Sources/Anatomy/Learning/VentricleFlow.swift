import Foundation
import Imaging

/// How a map's ventricles grow and shrink: a flow of positions into them, which takes the tissue around
/// them along.
///
/// Positions flow along the gradient of log (G + e), with G the ventricles' indicator blurred by a
/// Gaussian: about 1 mm a step of 1 at their surface, of thin parts as well as of thick ones, and fading
/// within a few times the Gaussian's width. Following a flow folds nothing, however far.
struct VentricleFlow: Sendable {
  /// Velocity of positions at the nodes; grows the ventricles.
  private let velocity: Displacement
  /// Volumes relative to the map's own after each whole number of steps of `stepLength`, ascending from
  /// `-mostSteps`.
  private let volumes: [Double]

  private static let deviation = 6.0
  private static let floor: Float = 0.05
  private static let stepLength: Float = 0.5
  private static let mostSteps = 20

  /// Which labels of a table are ventricles in the forebrain: those of FreeSurfer's names.
  static func labels(of table: LabelTable) -> [Bool] {
    let names = ["lateral-ventricle", "inf-lat-vent", "3rd-ventricle", "choroid-plexus"]
    return table.labels.map { label in
      let name = label.name.lowercased().replacingOccurrences(of: "_", with: "-")
      return names.contains { name.hasSuffix($0) }
    }
  }

  /// Nil where the map has no voxel of such a label.
  init?(_ channels: [UInt8], _ members: [Bool], _ grid: Grid, spacing: Double) {
    var field = Displacement(over: grid, spacing: spacing)
    guard let indicator = Self.indicator(channels, members, grid, field) else { return nil }
    let blurred = Self.blurred(indicator, field.nodes, Float(Self.deviation / spacing))
    Self.setVelocity(&field, blurred)
    velocity = field
    volumes = Self.volumes(field, indicator)
  }

  /// Share of the ventricles at each node: every voxel shared among the eight nodes around it.
  private static func indicator(
    _ channels: [UInt8], _ members: [Bool], _ grid: Grid, _ lattice: Displacement
  ) -> [SIMD4<Float>]? {
    let isMember = (0...255).map { $0 < members.count && members[$0] }
    var result = [SIMD4<Float>](repeating: .zero, count: lattice.values.count)
    let spacing = SIMD3<Float>(grid.spacing)
    let share = Float(grid.voxelVolume) / (lattice.spacing * lattice.spacing * lattice.spacing)
    var (voxel, found) = (0, false)
    for z in 0..<grid.extents.z {
      for y in 0..<grid.extents.y {
        for x in 0..<grid.extents.x {
          defer { voxel += 1 }
          guard isMember[Int(channels[voxel])] else { continue }
          found = true
          let cell = lattice.cell(SIMD3(Float(x), Float(y), Float(z)) * spacing)
          for corner in 0..<8 {
            var node = cell.first
            var weight = share
            for (axis, stride) in [1, cell.row, cell.slice].enumerated() {
              let far = corner >> axis & 1 == 1
              weight *= far ? cell.fraction[axis] : 1 - cell.fraction[axis]
              if far { node += stride }
            }
            result[node].x += weight
          }
        }
      }
    }
    return found ? result : nil
  }

  /// A Gaussian of `deviation` nodes along each axis, nothing beyond the lattice.
  private static func blurred(
    _ values: [SIMD4<Float>], _ nodes: SIMD3<Int>, _ deviation: Float
  ) -> [SIMD4<Float>] {
    let reach = Int((3 * deviation).rounded(.up))
    var weights = (-reach...reach).map { exp(-Float($0 * $0) / (2 * deviation * deviation)) }
    let sum = weights.reduce(0, +)
    weights = weights.map { $0 / sum }
    var result = values
    for (axis, stride) in [1, nodes.x, nodes.x * nodes.y].enumerated() {
      let source = result
      for node in source.indices {
        let place = node / stride % nodes[axis]
        var total = SIMD4<Float>.zero
        for step in max(-reach, -place)...min(reach, nodes[axis] - 1 - place) {
          total += source[node + step * stride] * weights[step + reach]
        }
        result[node] = total
      }
    }
    return result
  }

  private static func setVelocity(_ field: inout Displacement, _ blurred: [SIMD4<Float>]) {
    let nodes = field.nodes
    let scale = Float(deviation) / (2 * field.spacing)
    for node in blurred.indices {
      var gradient = SIMD4<Float>.zero
      for (axis, stride) in [1, nodes.x, nodes.x * nodes.y].enumerated() {
        let place = node / stride % nodes[axis]
        guard place > 0, place + 1 < nodes[axis] else { continue }
        gradient[axis] = blurred[node + stride].x - blurred[node - stride].x
      }
      field.values[node] = gradient * scale / (blurred[node].x + floor)
    }
  }

  private static func volumes(
    _ velocity: Displacement, _ indicator: [SIMD4<Float>]
  ) -> [Double] {
    var share = velocity
    share.values = indicator
    let own = indicator.reduce(0.0) { $0 + Double($1.x) }
    let nodes = velocity.nodes
    let start = indicator.indices.filter { velocity.values[$0] != .zero || indicator[$0].x > 0 }
      .map { i in
        SIMD3(Float(i % nodes.x), Float(i / nodes.x % nodes.y), Float(i / (nodes.x * nodes.y)))
          * velocity.spacing
      }
    func path(_ step: Float) -> [Double] {
      var positions = start
      return (0..<mostSteps).map { _ in
        var sum = 0.0
        for i in positions.indices {
          let v = velocity.at(positions[i]) * step
          positions[i] += SIMD3(v.x, v.y, v.z)
          sum += Double(share.at(positions[i]).x)
        }
        return sum / own
      }
    }
    return path(-stepLength).reversed() + [1] + path(stepLength)
  }

  /// How far to flow so that the ventricles have a volume relative to the map's own; as far as they can
  /// where that is out of reach.
  func distance(forVolume volume: Double) -> Float {
    guard let next = volumes.firstIndex(where: { $0 >= volume }) else {
      return Float(Self.mostSteps) * Self.stepLength
    }
    guard next > 0 else { return Float(-Self.mostSteps) * Self.stepLength }
    let fraction = (volume - volumes[next - 1]) / (volumes[next] - volumes[next - 1])
    return (Float(next - 1 - Self.mostSteps) + Float(fraction)) * Self.stepLength
  }

  /// Lets the positions that a displacement leads to flow on by a distance.
  func move(_ field: inout Displacement, by distance: Float) {
    let steps = Int((abs(distance) / Self.stepLength).rounded(.up))
    guard steps > 0 else { return }
    let step = distance / Float(steps)
    var node = 0
    for z in 0..<field.nodes.z {
      for y in 0..<field.nodes.y {
        for x in 0..<field.nodes.x {
          let at = SIMD3(Float(x), Float(y), Float(z)) * field.spacing
          var u = field.values[node]
          for _ in 0..<steps {
            let v = velocity.at(at + SIMD3(u.x, u.y, u.z))
            if v == .zero { break }
            u += v * step
          }
          field.values[node] = u
          node += 1
        }
      }
    }
  }
}
