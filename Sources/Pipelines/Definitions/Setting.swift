import Files

/// A value as it was written: one text or several, and where.
package struct Setting: Equatable, Sendable {
  package let texts: [String]
  package let isList: Bool
  package let place: DefinitionError.Place

  init(_ texts: [String], isList: Bool = false, _ place: DefinitionError.Place) {
    // Nothing between quotes is nothing.
    self.texts = texts.filter { !$0.isEmpty }
    (self.isList, self.place) = (isList, place)
  }

  init(_ part: DefinitionFile.Part) throws {
    self.init(try part.texts(), isList: part.isList, part.place)
  }

  /// From `NAME=VALUE` on the command line.
  ///
  /// - Throws: `DefinitionError`.
  static func parse(_ option: String) throws -> (name: String, setting: Setting) {
    guard let equals = option.firstIndex(of: "="), equals != option.startIndex else {
      throw DefinitionError(.option(option), .notASetting)
    }
    let value = String(option[option.index(after: equals)...])
    return (String(option[..<equals]), Setting([value], .option(option)))
  }

  /// A path as written: in a definition from its folder on, on the command line from the current one on.
  func path(_ text: String) -> String {
    guard case .file(let file, _) = place, !text.hasPrefix("/") else { return text }
    let folder = AtomicFile.folder(of: file)
    return folder == "." ? text : (folder == "/" ? "/" : folder + "/") + text
  }
}
