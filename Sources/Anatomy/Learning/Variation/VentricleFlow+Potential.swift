import Imaging

/// The field that ventricles flow along, on a lattice.
extension VentricleFlow {
  /// Share of the ventricles at each node: every voxel shared among the eight nodes around it.
  static func share(
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
            result[cell.node(corner)].x += share * cell.weight(corner)
          }
        }
      }
    }
    return found ? result : nil
  }

  /// Solves laplacian p - p / reach^2 = share by successive over-relaxation; 0 at the lattice's
  /// faces.
  static func potential(
    _ share: [SIMD4<Float>], _ nodes: SIMD3<Int>, spacing: Float
  ) -> [Float] {
    var p = [Float](repeating: 0, count: share.count)
    let (row, slice) = (nodes.x, nodes.x * nodes.y)
    let decay = spacing * spacing / Float(reach * reach)
    // The best factor for this decay: that of Jacobi's method shrinks errors by 6 / (6 + decay) a
    // round.
    let jacobi = 6 / (6 + decay)
    let factor = 2 / (1 + (1 - jacobi * jacobi).squareRoot())
    for _ in 0..<60 {
      for z in stride(from: 1, to: nodes.z - 1, by: 1) {
        for y in stride(from: 1, to: nodes.y - 1, by: 1) {
          for x in stride(from: 1, to: nodes.x - 1, by: 1) {
            let i = z * slice + y * row + x
            let along = p[i - 1] + p[i + 1] + p[i - row] + p[i + row]
            let around = along + p[i - slice] + p[i + slice]
            let next = (around - spacing * spacing * share[i].x) / (6 + decay)
            p[i] += factor * (next - p[i])
          }
        }
      }
    }
    return p
  }

  /// Sets a field to minus the gradient of a potential; 0 at the lattice's faces.
  static func setVelocity(_ field: inout Displacement, _ potential: [Float]) {
    let nodes = field.nodes
    let strides = [1, nodes.x, nodes.x * nodes.y]
    for node in potential.indices {
      for axis in 0..<3 {
        let stride = strides[axis]
        let place = node / stride % nodes[axis]
        guard place > 0, place + 1 < nodes[axis] else { continue }
        let rise = potential[node + stride] - potential[node - stride]
        field.values[node][axis] = -rise / (2 * field.spacing)
      }
    }
  }
}
