import Foundation

/// A pipeline as it is written down.
///
///     pipeline: NAME
///     about: What it is for.
///     parameters:
///       NAME: {about: What it is, default: VALUE}     without a default it must be set
///     stages:
///       NAME:
///         kind: KIND
///         KEY: VALUE                                  ${PARAMETER} and ${STAGE.RESULT} are replaced
package struct Definition {
  package struct Parameter: Equatable, Sendable {
    package let name: String
    package let about: String
    /// Nil where it must be set.
    package let value: Setting?
  }

  struct Entry {
    let name: String
    let part: DefinitionFile.Part
  }

  package let path: String
  package let name: String
  package let about: String
  package private(set) var parameters: [Parameter]
  let entries: [Entry]

  /// Reads one, and gives its parameters the values of `settings`, each `NAME=VALUE`.
  ///
  /// - Throws: `FileError`, `DefinitionError`.
  package init(_ path: String, settings: [String] = []) throws {
    self.path = path
    let root = try DefinitionFile(path).root
    let top = try root.entries(known: ["pipeline", "about", "parameters", "stages"])
    func part(_ key: String) -> DefinitionFile.Part? { top.first { $0.key == key }?.value }
    guard let stages = part("stages") else {
      throw DefinitionError(.file(path, line: nil), .missingKey("stages"))
    }
    name = try part("pipeline")?.text() ?? Self.name(of: path)
    about = try part("about")?.text() ?? ""
    parameters = try part("parameters").map(Self.parameters) ?? []
    entries = try stages.entries().map { key, line, value in
      guard Self.isName(key) else {
        throw DefinitionError(.file(path, line: line), .badName(key))
      }
      return Entry(name: key, part: value)
    }
    guard !entries.isEmpty else { throw stages.wrongType(expected: "at least one stage") }
    var names: Set<String> = []
    for text in settings {
      let name = try set(text)
      guard names.insert(name).inserted else {
        throw DefinitionError(.option(text), .repeatedKey(name))
      }
    }
  }

  /// Returns the parameter's name.
  private mutating func set(_ option: String) throws -> String {
    let (name, setting) = try Setting.parse(option)
    guard let place = parameters.firstIndex(where: { $0.name == name }) else {
      throw DefinitionError(
        .option(option), .unknownParameter(name, known: parameters.map(\.name)))
    }
    parameters[place] = Parameter(name: name, about: parameters[place].about, value: setting)
    return name
  }

  private static func parameters(_ part: DefinitionFile.Part) throws -> [Parameter] {
    try part.entries().map { key, line, value in
      guard isName(key) else { throw DefinitionError(.file(part.file, line: line), .badName(key)) }
      let words = value.isNothing ? [] : try value.entries(known: ["about", "default"])
      let setting = try words.first { $0.key == "default" }.map { try Setting($0.value) }
      if let setting, let text = setting.texts.first(where: { $0.contains("${") }) {
        throw DefinitionError(
          setting.place,
          .wrongType(
            what: "the default of '\(key)'", found: "'\(text)'", expected: "a value without '${'"))
      }
      return Parameter(
        name: key, about: try words.first { $0.key == "about" }?.value.text() ?? "",
        value: setting)
    }
  }

  private static func name(of path: String) -> String {
    let file = (path as NSString).lastPathComponent
    return (file as NSString).deletingPathExtension
  }

  /// Lower-case letters, digits and hyphens, a letter first: a folder is called so.
  private static func isName(_ text: String) -> Bool {
    text.utf8.count <= 64 && text.first?.isLetter == true
      && text.allSatisfy { $0.isASCII && ($0.isLowercase || $0.isNumber || $0 == "-") }
  }
}
