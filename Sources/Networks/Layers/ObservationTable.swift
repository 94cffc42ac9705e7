import Glibc

/// A value for every code and label, `[codes, padded K]`.
package struct ObservationTable: Sendable {
  package let values: [Float]

  /// Takes `codes` rows of K values.
  package init(codes: Int, labels: Int, _ value: (_ code: Int, _ label: Int) -> Float) {
    let padded = Lanes.padded(labels)
    var values = [Float](repeating: 0, count: codes * padded)
    for code in 0..<codes {
      for label in 0..<labels { values[code * padded + label] = value(code, label) }
    }
    self.values = values
  }

  private init(values: [Float]) { self.values = values }

  /// The table of logarithms, for the Jensen bound; values below 1e-37 count as that.
  package var logarithms: ObservationTable {
    ObservationTable(values: values.map { log(max($0, 1e-37)) })
  }
}
