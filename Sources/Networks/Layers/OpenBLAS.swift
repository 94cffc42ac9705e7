import COpenBLAS

/// OpenBLAS as it is used here.
package enum OpenBLAS {
  /// To be read before it is called: it must not start threads of its own, for its results would change with their
  /// number.
  package static let onOneThread: Void = openblas_set_num_threads(1)
}
