import Files
import Foundation
import Yams

/// YAML as it stands in a file: mappings whose keys are known, with the lines they are on.
struct DefinitionFile {
  /// A part of the file.
  struct Part {
    let node: Node
    let file: String
    /// What it is the value of.
    let name: String

    var place: DefinitionError.Place { .file(file, line: node.mark?.line) }
  }

  let path: String
  let root: Part

  private static let largest = 256 << 10

  /// - Throws: `FileError`, `DefinitionError`.
  init(_ path: String) throws {
    self.path = path
    func wrong(_ problem: DefinitionError.Problem, line: Int? = nil) -> DefinitionError {
      DefinitionError(.file(path, line: line), problem)
    }
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw FileError.missing(path: path)
    }
    if isFolder.boolValue { throw wrong(.isFolder) }
    guard let data = FileManager.default.contents(atPath: path) else {
      throw FileError.unreadable(path: path, code: EACCES)
    }
    guard data.count <= Self.largest else { throw wrong(.tooLarge(limit: Self.largest)) }
    guard let text = String(data: data, encoding: .utf8), !text.contains("\0") else {
      throw wrong(.notText)
    }
    do {
      guard let node = try Yams.compose(yaml: text) else { throw wrong(.missingKey("stages")) }
      root = Part(node: node, file: path, name: "the definition")
    } catch let error as YamlError {
      let (problem, line) = Self.problem(error)
      throw wrong(problem, line: line)
    }
  }

  private static func problem(_ error: YamlError) -> (DefinitionError.Problem, line: Int?) {
    switch error {
    // The parser's own bound is 1000 levels; its words tell programmers how to raise it.
    case .parser(_, let problem, let mark, _) where problem.hasPrefix("Maximum nesting level"):
      return (.syntax("more than 1000 levels"), mark.line)
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
      .composer(_, let problem, let mark, _):
      return (.syntax(problem), mark.line)
    case .duplicatedKeysInMapping(let duplicates, let context):
      return (.repeatedKey(duplicates.first.map { "\($0)" } ?? ""), context.mark.line)
    case .reader(let problem, _, _, _): return (.syntax(problem), nil)
    default: return (.syntax("not YAML"), nil)
    }
  }
}

extension DefinitionFile.Part {
  /// What the part is, in words.
  private var type: String {
    switch node {
    case .scalar: node.isNull ? "nothing" : "a single value"
    case .mapping: "keys with values"
    case .sequence: "a list"
    case .alias: "an alias"
    }
  }

  func wrongType(expected: String) -> DefinitionError {
    DefinitionError(place, .wrongType(what: name, found: type, expected: expected))
  }

  /// Its keys and values, in order. With `known`, no others may be there.
  ///
  /// - Throws: `DefinitionError`.
  func entries(known: [String]? = nil) throws -> [(key: String, line: Int?, value: Self)] {
    guard let mapping = node.mapping else { throw wrongType(expected: "keys with values") }
    return try mapping.map { key, value in
      guard let name = key.scalar?.string else {
        throw DefinitionError(
          .file(file, line: key.mark?.line),
          .wrongType(what: "a key", found: "something else", expected: "a single word"))
      }
      if let known, !known.contains(name) {
        throw DefinitionError(
          .file(file, line: key.mark?.line), .unknownKey(name, known: known))
      }
      return (name, key.mark?.line, Self(node: value, file: file, name: name))
    }
  }

  /// Its single value; nil for none.
  ///
  /// - Throws: `DefinitionError`.
  func text() throws -> String? {
    guard let scalar = node.scalar else { throw wrongType(expected: "a single value") }
    return node.isNull ? nil : scalar.string
  }

  /// Its values, one or a list.
  ///
  /// - Throws: `DefinitionError`.
  func texts() throws -> [String] {
    guard let sequence = node.sequence else { return try text().map { [$0] } ?? [] }
    return try sequence.compactMap { try Self(node: $0, file: file, name: name).text() }
  }

  var isList: Bool { node.sequence != nil }
  var isNothing: Bool { node.isNull }
}

extension Node {
  /// Nothing, or one of YAML's words for it.
  fileprivate var isNull: Bool { tag == Tag(.null) || scalar?.string.isEmpty ?? false }
}
