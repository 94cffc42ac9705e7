import Imaging
import Parallel

/// A displacement field on a lattice of nodes over the atlas grid, linear between nodes.
///
/// Lengths are millimetres along the atlas's voxel axes (not world axes), and so are positions: voxel
/// index times spacing. Beyond the lattice the nearest value applies.
package struct Displacement: Sendable {
  /// Nodes along each axis, each at least 2.
  package let nodes: SIMD3<Int>
  /// Distance of neighbouring nodes, in mm.
  package let spacing: Float
  /// Displacement at each node, in mm; the fourth entry is 0.
  package var values: [SIMD4<Float>]

  /// No displacement, on a lattice that covers a grid.
  package init(over grid: Grid, spacing: Double) {
    let size = SIMD3<Double>(grid.extents &- SIMD3(repeating: 1)) * grid.spacing
    nodes = SIMD3(
      max(2, Int((size.x / spacing).rounded(.up)) + 1),
      max(2, Int((size.y / spacing).rounded(.up)) + 1),
      max(2, Int((size.z / spacing).rounded(.up)) + 1))
    self.spacing = Float(spacing)
    values = [SIMD4<Float>](repeating: .zero, count: nodes.x * nodes.y * nodes.z)
  }

  /// The same field on a lattice of another spacing.
  package func resampled(over grid: Grid, spacing: Double) -> Displacement {
    var result = Displacement(over: grid, spacing: spacing)
    for z in 0..<result.nodes.z {
      for y in 0..<result.nodes.y {
        for x in 0..<result.nodes.x {
          let at = SIMD3<Float>(Float(x), Float(y), Float(z)) * result.spacing
          result.values[(z * result.nodes.y + y) * result.nodes.x + x] = self.at(at)
        }
      }
    }
    return result
  }

  /// The displacement at a position, mm.
  package func at(_ position: SIMD3<Float>) -> SIMD4<Float> {
    values.withUnsafeBufferPointer { Self.interpolate($0, cell(position)) }
  }

  /// Lends the displacement at any position, for many of them.
  @inline(__always)
  func reading<Result>(
    _ body: (_ at: (SIMD3<Float>) -> SIMD4<Float>) -> Result
  ) -> Result {
    values.withUnsafeBufferPointer { nodes in body { Self.interpolate(nodes, cell($0)) } }
  }

  /// The cell that holds a position: its first node, the strides to its neighbours, and the fractions.
  struct Cell {
    var first: Int
    var row: Int
    var slice: Int
    var fraction: SIMD3<Float>

    /// One of its eight nodes: bits 0, 1 and 2 of `corner` choose the further one along x, y and z.
    @inline(__always)
    func node(_ corner: Int) -> Int {
      first + (corner & 1) + (corner >> 1 & 1) * row + (corner >> 2) * slice
    }

    /// That node's share in a linear interpolation.
    @inline(__always)
    func weight(_ corner: Int) -> Float {
      let x = corner & 1 == 0 ? 1 - fraction.x : fraction.x
      let y = corner & 2 == 0 ? 1 - fraction.y : fraction.y
      let z = corner & 4 == 0 ? 1 - fraction.z : fraction.z
      return x * y * z
    }
  }

  @inline(__always)
  func cell(_ position: SIMD3<Float>) -> Cell {
    // Component by component: `clamped` is a call.
    func inside(_ value: Float, _ nodes: Int) -> Float {
      min(max(value, 0), Float(nodes - 1) - 1e-3)
    }
    var p = position / spacing
    p = SIMD3(inside(p.x, nodes.x), inside(p.y, nodes.y), inside(p.z, nodes.z))
    let x = Int(p.x)
    let y = Int(p.y)
    let z = Int(p.z)
    return Cell(
      first: (z * nodes.y + y) * nodes.x + x, row: nodes.x, slice: nodes.x * nodes.y,
      fraction: p - SIMD3(Float(x), Float(y), Float(z)))
  }

  @inline(__always)
  static func interpolate(_ v: UnsafeBufferPointer<SIMD4<Float>>, _ c: Cell) -> SIMD4<Float> {
    let i = c.first
    let (fx, fy, fz) = (c.fraction.x, c.fraction.y, c.fraction.z)
    let a = v[i] + (v[i + 1] - v[i]) * fx
    let b = v[i + c.row] + (v[i + c.row + 1] - v[i + c.row]) * fx
    let j = i + c.slice
    let d = v[j] + (v[j + 1] - v[j]) * fx
    let e = v[j + c.row] + (v[j + c.row + 1] - v[j + c.row]) * fx
    let near = a + (b - a) * fy
    let far = d + (e - d) * fy
    return near + (far - near) * fz
  }

  /// Adds the displacement to each position (mm along the atlas's axes, three a sample).
  package func displaced(_ positions: [Float]) -> [Float] { displaced(positions) { $0 } }

  /// The same, and `convert` of each position that comes of it.
  @inline(__always)
  func displaced(
    _ positions: [Float], convert: @Sendable (SIMD3<Float>) -> SIMD3<Float>
  ) -> [Float] {
    var result = positions
    let count = positions.count / 3
    result.withUnsafeMutableBufferPointer { buffer in
      nonisolated(unsafe) let out = buffer
      values.withUnsafeBufferPointer { nodes in
        nonisolated(unsafe) let nodes = nodes
        Parallel.forEachRange(of: count, size: 1 << 14) { range in
          for j in range {
            let p = SIMD3<Float>(out[3 * j], out[3 * j + 1], out[3 * j + 2])
            let u = Self.interpolate(nodes, cell(p))
            let moved = convert(p + SIMD3(u.x, u.y, u.z))
            out[3 * j] = moved.x
            out[3 * j + 1] = moved.y
            out[3 * j + 2] = moved.z
          }
        }
      }
    }
    return result
  }

  /// The field w with q = y + w(y) for every y = q + u(q), by fixed-point iteration at the nodes.
  package func inverted() -> Displacement {
    var result = self
    for z in 0..<nodes.z {
      for y in 0..<nodes.y {
        for x in 0..<nodes.x {
          let target = SIMD3<Float>(Float(x), Float(y), Float(z)) * spacing
          var w = SIMD4<Float>.zero
          for _ in 0..<15 {
            let next = -at(target + SIMD3(w.x, w.y, w.z))
            w += (next - w) * 0.8
          }
          result.values[(z * nodes.y + y) * nodes.x + x] = w
        }
      }
    }
    return result
  }

  /// The largest length of any node's displacement, mm.
  package var largest: Float { values.map { ($0 * $0).sum().squareRoot() }.max() ?? 0 }
}
