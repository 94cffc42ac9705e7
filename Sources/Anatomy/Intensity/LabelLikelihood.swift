import CKernels

/// p(intensity row | label) as the posterior's kernels read it: columns that labels share.
package struct LabelLikelihood: Sendable {
  /// For each label, its column.
  let columnOf: [UInt8]
  private let lanes: Int
  /// Rows x lanes.
  private let values: [Float]
  /// The largest over labels, one a row.
  private let highest: [Float]
  /// The sum over labels, one a row.
  private let total: [Float]

  /// `values` are rows x lanes; a label's are those of its column.
  package init(_ values: [Float], lanes: Int, columnOf: [UInt8]) {
    (self.values, self.lanes, self.columnOf) = (values, lanes, columnOf)
    let rows = 0..<values.count / lanes
    highest = rows.map { row in
      columnOf.reduce(0) { max($0, values[row * lanes + Int($1)]) }
    }
    total = rows.map { row in
      columnOf.reduce(0) { $0 + values[row * lanes + Int($1)] }
    }
  }

  init(_ table: LikelihoodTable, columnOf: [UInt8]) {
    self.init(table.values, lanes: table.lanes, columnOf: columnOf)
  }

  /// One that prefers no label, whose only rows are 0 and 1: the posterior is the prior.
  static func even(labels: Int) -> LabelLikelihood {
    LabelLikelihood([1, 1], lanes: 1, columnOf: [UInt8](repeating: 0, count: labels))
  }

  /// Lends it to a kernel.
  func withKernelLikelihood<Result>(_ body: (segpipe_label_likelihood) -> Result) -> Result {
    values.withUnsafeBufferPointer { values in
      columnOf.withUnsafeBufferPointer { columnOf in
        highest.withUnsafeBufferPointer { highest in
          total.withUnsafeBufferPointer { total in
            body(
              segpipe_label_likelihood(
                values: values.baseAddress, highest: highest.baseAddress,
                total: total.baseAddress, column_of: columnOf.baseAddress, lanes: Int32(lanes)))
          }
        }
      }
    }
  }
}
