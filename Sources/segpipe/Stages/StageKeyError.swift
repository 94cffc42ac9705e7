import Reports

/// A key's value that is of the right type and makes no sense all the same.
struct StageKeyError: Diagnosable, Equatable {
  let stage: String
  let key: String
  let expected: String

  var diagnosis: Diagnosis {
    Diagnosis("stage \(stage): \(key) must be \(expected)", status: .usage)
  }
}
