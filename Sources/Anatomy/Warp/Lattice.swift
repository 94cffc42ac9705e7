import Parallel

/// Linear algebra on the nodes of a lattice: vectors of one SIMD4 a node, the last entry unused.
///
/// Loops are cut by planes of nodes, so sums do not depend on the number of threads.
struct Lattice: Sendable {
  private let nodes: SIMD3<Int>
  private let plane: Int

  init(_ nodes: SIMD3<Int>) {
    self.nodes = nodes
    plane = nodes.x * nodes.y
  }

  /// Nodes in a chunk of work: a few planes.
  private var chunk: Int { max(1, 4096 / plane) * plane }

  /// Sum over nodes of a . b.
  func dot(_ a: [SIMD4<Float>], _ b: [SIMD4<Float>]) -> Double {
    let (count, chunk) = (a.count, chunk)
    return Parallel.map((count + chunk - 1) / chunk) { part in
      var sums = SIMD4<Double>.zero
      for i in part * chunk..<min(count, (part + 1) * chunk) {
        sums += SIMD4<Double>(a[i] * b[i])
      }
      return sums.sum()
    }.reduce(0, +)
  }

  /// v = keep v + factor w, node by node.
  func combine(_ v: inout [SIMD4<Float>], keep: Float, _ factor: Float, _ w: [SIMD4<Float>]) {
    let count = v.count
    v.withUnsafeMutableBufferPointer { target in
      w.withUnsafeBufferPointer { source in
        nonisolated(unsafe) let (v, w) = (target, source)
        Parallel.forEachRange(of: count, size: chunk) { range in
          for i in range { v[i] = keep * v[i] + factor * w[i] }
        }
      }
    }
  }

  /// v = a b, component by component.
  func multiply(_ v: inout [SIMD4<Float>], _ a: [SIMD4<Float>], _ b: [SIMD4<Float>]) {
    let count = v.count
    v.withUnsafeMutableBufferPointer { target in
      a.withUnsafeBufferPointer { a in
        b.withUnsafeBufferPointer { b in
          nonisolated(unsafe) let (v, a, b) = (target, a, b)
          Parallel.forEachRange(of: count, size: chunk) { range in
            for i in range { v[i] = a[i] * b[i] }
          }
        }
      }
    }
  }

  /// v += H w, H symmetric 3x3 at each node: (xx, yy, zz, 0) and (xy, xz, yz, 0).
  func addBlocks(
    _ v: inout [SIMD4<Float>], diagonal: [SIMD4<Float>], mixed: [SIMD4<Float>], _ w: [SIMD4<Float>]
  ) {
    let count = v.count
    v.withUnsafeMutableBufferPointer { target in
      nonisolated(unsafe) let v = target
      Parallel.forEachRange(of: count, size: chunk) { range in
        for i in range {
          let (d, x) = (w[i], mixed[i])
          let across = SIMD4<Float>(
            x.x * d.y + x.y * d.z, x.x * d.x + x.z * d.z, x.y * d.x + x.z * d.y, 0)
          v[i] += diagonal[i] * d + across
        }
      }
    }
  }

  /// (a L + b L^2) u, L the lattice's Laplacian with free edges.
  func stiffness(_ u: [SIMD4<Float>], _ a: Float, _ b: Float) -> [SIMD4<Float>] {
    let first = laplacian(u)
    var second = laplacian(first)
    combine(&second, keep: b, a, first)
    return second
  }

  /// Sum over lattice neighbours of the differences to them.
  private func laplacian(_ u: [SIMD4<Float>]) -> [SIMD4<Float>] {
    let (n, plane) = (nodes, plane)
    return [SIMD4<Float>](unsafeUninitializedCapacity: u.count) { buffer, filled in
      u.withUnsafeBufferPointer { source in
        nonisolated(unsafe) let (out, u) = (buffer, source)
        Parallel.forEachRange(of: n.z, size: max(1, 4096 / plane)) { planes in
          for z in planes {
            for y in 0..<n.y {
              let row = (z * n.y + y) * n.x
              let below = z > 0 ? -plane : 0
              let above = z + 1 < n.z ? plane : 0
              let front = y > 0 ? -n.x : 0
              let back = y + 1 < n.y ? n.x : 0
              for x in 0..<n.x {
                let i = row + x
                let c = u[i]
                // A missing neighbour counts as equal.
                let left = u[x > 0 ? i - 1 : i] + u[x + 1 < n.x ? i + 1 : i]
                let around = u[i + front] + u[i + back] + u[i + below] + u[i + above]
                out[i] = 6 * c - left - around
              }
            }
          }
        }
      }
      filled = u.count
    }
  }
}
