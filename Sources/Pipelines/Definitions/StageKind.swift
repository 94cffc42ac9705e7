/// A kind of stage that definitions may name: its keys, and the stages that it stands for.
///
/// To add one, make a value of this type and hand it to `Definition.stages(kinds:...)` with the others.
package struct StageKind {
  /// What a key's value may be.
  package enum ValueType: Equatable, Sendable {
    case text
    case flag
    case number(ClosedRange<Double>)
    case integer(ClosedRange<Int>)
    case choice([String])
    /// A file or folder, or what another stage makes.
    case path
    /// One or more of those.
    case paths
  }

  package struct Key: Equatable, Sendable {
    package let name: String
    package let type: ValueType
    package let isRequired: Bool

    package init(_ name: String, _ type: ValueType, isRequired: Bool = false) {
      (self.name, self.type, self.isRequired) = (name, type, isRequired)
    }
  }

  package let name: String
  package let keys: [Key]
  /// Makes the stages of one entry of a definition.
  package let expand: (StageRequest) throws -> StageExpansion

  package init(
    _ name: String, keys: [Key], expand: @escaping (StageRequest) throws -> StageExpansion
  ) {
    (self.name, self.keys, self.expand) = (name, keys, expand)
  }
}

/// One entry of a definition, its values checked.
package struct StageRequest {
  /// The entry's name: its stages' ids are it, or begin with it and a slash; its outputs lie in a folder of
  /// that name.
  package let name: String
  package let workspace: Workspace
  let values: [String: StageValue]

  package func flag(_ key: String) -> Bool? {
    if case .flag(let value)? = values[key] { value } else { nil }
  }
  package func number(_ key: String) -> Double? {
    if case .number(let value)? = values[key] { value } else { nil }
  }
  package func integer(_ key: String) -> Int? { number(key).map { Int($0) } }
  /// A text, or a choice.
  package func text(_ key: String) -> String? {
    if case .text(let value)? = values[key] { value } else { nil }
  }
  package func places(_ key: String) -> [Location] {
    if case .places(let value)? = values[key] { value } else { [] }
  }
  package func place(_ key: String) -> Location? { places(key).first }
}

/// A key's value, of the type that the key asks for.
enum StageValue: Equatable {
  case flag(Bool)
  case number(Double)
  case text(String)
  case places([Location])
}

/// What an entry of a definition stands for.
package struct StageExpansion {
  package let stages: [Stage]
  /// What other entries may refer to, as `${ENTRY.NAME}`; nil for what this time is not made, and counts as
  /// not given.
  package let results: [String: Location?]

  package init(_ stages: [Stage], results: [String: Location?] = [:]) {
    (self.stages, self.results) = (stages, results)
  }
}
