import CKernels
import Parallel

/// Single-precision matrix products, timed: what this machine can do at best.
package enum MatrixProduct {
  /// 10^9 multiplications and additions per second on `Parallel.threads` threads: the best of
  /// several runs. Each thread multiplies matrices of its own, 84 x 512 by 512 x 16, which stay in
  /// its caches.
  package static func gigaflopsPerSecond() throws -> Double {
    let (rows, depth, repeats) = (84, 512, 2000)
    let parts = Parallel.threads
    let (a, b) = (try Tensor(count: parts * rows * depth), try Tensor(count: depth * 16))
    let c = try Tensor(count: parts * rows * 16)
    a.fill(with: 0.5)
    b.fill(with: 1e-3)
    let clock = ContinuousClock()
    var fastest = Double.infinity
    for _ in 0..<5 {
      let start = clock.now
      Parallel.forEach(parts) { part in
        for _ in 0..<repeats {
          segpipe_product(
            a.pointer + part * rows * depth, b.pointer, c.pointer + part * rows * 16, rows, depth)
        }
      }
      let time = (clock.now - start).components
      fastest = min(fastest, Double(time.seconds) + Double(time.attoseconds) * 1e-18)
    }
    return 2 * Double(parts * rows * depth * 16 * repeats) / 1e9 / fastest
  }
}
