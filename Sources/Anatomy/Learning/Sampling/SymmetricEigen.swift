import COpenBLAS
import Networks

/// Eigenvalues and eigenvectors of a small symmetric matrix, by LAPACK.
enum SymmetricEigen {
  /// Values falling, and a unit vector for each.
  static func decompose(
    _ matrix: [Double], size: Int
  ) -> (values: [Double], vectors: [[Double]]) {
    var (a, values) = (matrix, [Double](repeating: 0, count: size))
    var (n, info) = (Int32(size), Int32(0))
    var length = Int32(max(1, 34 * size))
    var work = [Double](repeating: 0, count: Int(length))
    OpenBLAS.onOneThread
    var order = n
    dsyev_("V", "L", &n, &a, &order, &values, &work, &length, &info)
    precondition(info == 0, "dsyev: \(info)")
    // LAPACK's values rise, and its columns are the vectors.
    let vectors = (0..<size).reversed().map { Array(a[$0 * size..<($0 + 1) * size]) }
    return (values.reversed(), vectors)
  }
}
