import Imaging
import Parallel

/// Sums over samples of the score in the 12 parameters of an affine, and of its outer product.
///
/// A sample's row of the 12 parameters is the outer product of its score s and (1, arm): its outer product in turn is
/// that of s s' and (1, arm) (1, arm)', 6 and 10 different entries.
struct ScoreMoments {
  /// s times (1, arm).
  private var first = SIMD16<Double>.zero
  /// Each entry of s s' times (1, arm) (1, arm)'.
  private var xx = SIMD16<Double>.zero
  private var xy = SIMD16<Double>.zero
  private var xz = SIMD16<Double>.zero
  private var yy = SIMD16<Double>.zero
  private var yz = SIMD16<Double>.zero
  private var zz = SIMD16<Double>.zero

  private init() {}

  /// - Parameters:
  ///   - scores: gradients of the log-likelihood by position, three a sample.
  ///   - positions: of the samples in the prior, three each.
  ///   - position: atlas mm to these.
  ///   - centre: in atlas mm, from where arms reach.
  ///   - radius: unit of arms, in mm.
  init(
    _ scores: [Float], _ positions: [Float], position: Affine, centre: SIMD3<Double>,
    radius: Double
  ) {
    let back = position.inverse
    let count = scores.count / 3
    let chunk = ScanSamples.chunk * 4
    let parts: [ScoreMoments] = scores.withUnsafeBufferPointer { scores in
      positions.withUnsafeBufferPointer { positions in
        nonisolated(unsafe) let (scores, positions) = (scores, positions)
        return Parallel.map((count + chunk - 1) / chunk) { part in
          var sums = ScoreMoments()
          for j in part * chunk..<min(count, (part + 1) * chunk) {
            let g = SIMD3<Double>(
              Double(scores[3 * j]), Double(scores[3 * j + 1]), Double(scores[3 * j + 2]))
            if g == .zero { continue }
            // d position / d world, transposed: the score per atlas mm.
            let s = SIMD3(
              (position.columns.0 * g).sum(), (position.columns.1 * g).sum(),
              (position.columns.2 * g).sum())
            let p = SIMD3<Double>(
              Double(positions[3 * j]), Double(positions[3 * j + 1]), Double(positions[3 * j + 2]))
            sums.add(s, arm: (back(p) - centre) / radius)
          }
          return sums
        }
      }
    }
    for part in parts { add(part) }
  }

  /// Adds a sample.
  @inline(__always)
  private mutating func add(_ s: SIMD3<Double>, arm: SIMD3<Double>) {
    first += SIMD16(
      s.x, s.x * arm.x, s.x * arm.y, s.x * arm.z, s.y, s.y * arm.x, s.y * arm.y, s.y * arm.z,
      s.z, s.z * arm.x, s.z * arm.y, s.z * arm.z, 0, 0, 0, 0)
    let arms = SIMD16(
      1, arm.x, arm.y, arm.z, arm.x * arm.x, arm.x * arm.y, arm.x * arm.z, arm.y * arm.y,
      arm.y * arm.z, arm.z * arm.z, 0, 0, 0, 0, 0, 0)
    xx += arms * (s.x * s.x)
    xy += arms * (s.x * s.y)
    xz += arms * (s.x * s.z)
    yy += arms * (s.y * s.y)
    yz += arms * (s.y * s.z)
    zz += arms * (s.z * s.z)
  }

  private mutating func add(_ part: ScoreMoments) {
    first += part.first
    xx += part.xx
    xy += part.xy
    xz += part.xz
    yy += part.yy
    yz += part.yz
    zz += part.zz
  }

  /// Where the 12 parameters, translation and then the linear part by rows, have their entry i of s and k of (1, arm).
  private static func parameter(_ i: Int, _ k: Int) -> Int { k == 0 ? i : 3 + 3 * i + k - 1 }

  /// Of the log-likelihood, in the 12 parameters.
  var gradient: [Double] {
    var gradient = [Double](repeating: 0, count: 12)
    for i in 0..<3 {
      for k in 0..<4 { gradient[Self.parameter(i, k)] = first[4 * i + k] }
    }
    return gradient
  }

  /// The sum of outer products, 12 by 12.
  var curvature: [Double] {
    let scores = [[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]]
    let armEntry = [[0, 1, 2, 3], [1, 4, 5, 6], [2, 5, 7, 8], [3, 6, 8, 9]]
    var curvature = [Double](repeating: 0, count: 144)
    for i in 0..<3 {
      for k in 0..<4 {
        for m in 0..<3 {
          for n in 0..<4 {
            curvature[12 * Self.parameter(i, k) + Self.parameter(m, n)] =
              scores[i][m][armEntry[k][n]]
          }
        }
      }
    }
    return curvature
  }
}
