extension Definition {
  /// The stages that the definition stands for.
  ///
  /// - Throws: `DefinitionError`; what the kinds throw.
  package func stages(kinds: [StageKind], in workspace: Workspace) throws -> [Stage] {
    var results: [String: Location?] = [:]
    return try entries.flatMap { entry in
      let (kind, settings) = try kind(of: entry, kinds)
      var values: [String: StageValue] = [:]
      for (key, setting) in settings {
        guard let known = kind.keys.first(where: { $0.name == key }) else { continue }
        values[key] = try value(of: known, setting, results)
      }
      for key in kind.keys where key.isRequired && values[key.name] == nil {
        throw DefinitionError(entry.part.place, .missingKey(key.name))
      }
      let expansion = try kind.expand(
        StageRequest(name: entry.name, workspace: workspace, values: values))
      for (name, location) in expansion.results {
        results.updateValue(location, forKey: "\(entry.name).\(name)")
      }
      return expansion.stages
    }
  }

  private func kind(
    of entry: Entry, _ kinds: [StageKind]
  ) throws -> (StageKind, [(String, Setting)]) {
    let all = try entry.part.entries()
    guard let named = all.first(where: { $0.key == "kind" }), let name = try named.value.text()
    else { throw DefinitionError(entry.part.place, .missingKey("kind")) }
    guard let kind = kinds.first(where: { $0.name == name }) else {
      throw DefinitionError(
        named.value.place, .unknownKind(name, known: kinds.map(\.name)))
    }
    let known = try entry.part.entries(known: ["kind"] + kind.keys.map(\.name))
    return (
      kind, try known.filter { $0.key != "kind" }.map { ($0.key, try Setting($0.value)) }
    )
  }

  /// A key's value; nil where nothing is given.
  private func value(
    of key: StageKind.Key, _ setting: Setting, _ results: [String: Location?]
  ) throws -> StageValue? {
    if key.type == .path || key.type == .paths {
      let places = try setting.texts.flatMap { try self.places($0, setting, results) }
      if places.count > 1, key.type == .path {
        throw wrongType(key, setting, found: "a list", expected: "a single path")
      }
      return places.isEmpty ? nil : .places(places)
    }
    func only(_ setting: Setting) throws -> String? {
      guard !setting.isList || setting.texts.isEmpty else {
        throw wrongType(key, setting, found: "a list", expected: "a single value")
      }
      return setting.texts.first
    }
    guard let text = try only(setting) else { return nil }
    let filled = try fill(text, setting, results)
    return try only(filled).map { try single(key, $0, filled) }
  }

  private func single(
    _ key: StageKind.Key, _ text: String, _ setting: Setting
  ) throws -> StageValue {
    switch key.type {
    case .text, .path, .paths: return .text(text)
    case .flag:
      let words = [
        "true": true, "yes": true, "on": true, "false": false, "no": false, "off": false,
      ]
      guard let flag = words[text.lowercased()] else {
        throw wrongType(key, setting, found: "'\(text)'", expected: "yes or no")
      }
      return .flag(flag)
    case .number(let range):
      guard let number = Double(text), range.contains(number) else {
        throw wrongType(
          key, setting, found: "'\(text)'",
          expected: "a number from \(range.lowerBound) to \(range.upperBound)")
      }
      return .number(number)
    case .integer(let range):
      guard let number = Int(text), range.contains(number) else {
        throw wrongType(
          key, setting, found: "'\(text)'",
          expected: "a whole number from \(range.lowerBound) to \(range.upperBound)")
      }
      return .number(Double(number))
    case .choice(let words):
      guard words.contains(text) else {
        throw wrongType(
          key, setting, found: "'\(text)'", expected: words.joined(separator: " or "))
      }
      return .text(text)
    }
  }

  private func wrongType(
    _ key: StageKind.Key, _ setting: Setting, found: String, expected: String
  ) -> DefinitionError {
    DefinitionError(
      setting.place, .wrongType(what: key.name, found: found, expected: expected))
  }

  /// The places that a text stands for: what a stage makes, or paths.
  private func places(
    _ text: String, _ setting: Setting, _ results: [String: Location?]
  ) throws -> [Location] {
    if text.hasPrefix("${"), text.hasSuffix("}"),
      let result = results[String(text.dropFirst(2).dropLast())]
    {
      return [result].compactMap { $0 }
    }
    let filled = try fill(text, setting, results)
    return filled.texts.map { .outside(filled.path($0)) }
  }

  /// A text with the values of parameters in it. One that is nothing but a parameter's name gives that
  /// parameter's values, and their place.
  private func fill(
    _ text: String, _ setting: Setting, _ results: [String: Location?]
  ) throws -> Setting {
    var filled = ""
    var place = setting.place
    var rest = text[...]
    while let start = rest.firstRange(of: "${") {
      guard let end = rest[start.upperBound...].firstIndex(of: "}") else {
        throw DefinitionError(setting.place, .syntax("'${' without '}'"))
      }
      let name = String(rest[start.upperBound..<end])
      let parameter = try value(ofParameter: name, setting, results)
      let before = rest[..<start.lowerBound]
      let isWhole = before.isEmpty && filled.isEmpty && rest.index(after: end) == rest.endIndex
      if isWhole { return parameter }
      guard !parameter.isList else {
        throw DefinitionError(
          setting.place,
          .wrongType(
            what: "'\(name)' within '\(text)'", found: "a list", expected: "a single value"))
      }
      if before.isEmpty, filled.isEmpty { place = parameter.place }
      filled += before + (parameter.texts.first ?? "")
      rest = rest[rest.index(after: end)...]
    }
    return Setting([filled + rest], place)
  }

  private func value(
    ofParameter name: String, _ setting: Setting, _ results: [String: Location?]
  ) throws -> Setting {
    guard let parameter = parameters.first(where: { $0.name == name }) else {
      throw DefinitionError(
        setting.place,
        .unknownReference(name, known: parameters.map(\.name) + results.keys.sorted()))
    }
    guard let value = parameter.value else {
      throw DefinitionError(
        setting.place, .noValue(parameter: name, about: parameter.about))
    }
    return value
  }
}
