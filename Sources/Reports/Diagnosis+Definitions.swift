import Pipelines

extension DefinitionError: Diagnosable {
  package var diagnosis: Diagnosis {
    let (message, hint) = words
    return Diagnosis(start + message, hint: hint, status: .usage)
  }

  private var start: String {
    switch place {
    case .file(let path, let line?): "\(path), line \(line): "
    case .file(let path, nil): "\(path): "
    case .option(let text): "--set \(text): "
    }
  }

  private var words: (message: String, hint: String?) {
    switch problem {
    case .isFolder: ("a folder, expected a definition of a pipeline", "Name the .yaml file in it.")
    case .tooLarge(let limit):
      ("more than \(limit >> 10) KiB", "This is no definition; was another file meant?")
    case .notText: ("not a text in UTF-8", "Save it as UTF-8, or name another file.")
    case .syntax(let problem): (problem, "Check indents, colons and quotes around this line.")
    case .repeatedKey(let key): ("'\(key)' is there twice", "Remove one of them.")
    case .unknownKey(let key, let known):
      ("there is no key '\(key)' here", hint(key, known, "Keys are"))
    case .missingKey(let key): ("the key '\(key)' is missing", nil)
    case .wrongType(let what, let found, let expected):
      ("\(what) is \(found), expected \(expected)", nil)
    case .badName(let name):
      ("'\(name)' cannot be a name", "Names are lower-case letters, digits and hyphens.")
    case .unknownKind(let kind, let known):
      ("there is no kind of stage '\(kind)'", hint(kind, known, "Kinds are"))
    case .unknownReference(let name, let known):
      (
        "${\(name)} is neither a parameter nor what an earlier stage makes",
        hint(name, known, "There are")
      )
    case .noValue(let parameter, let about):
      (
        "the parameter '\(parameter)' has no value\(about.isEmpty ? "" : ": \(about)")",
        "Give it one with --set \(parameter)=VALUE."
      )
    case .notASetting: ("expected NAME=VALUE", nil)
    case .unknownParameter(let name, let known):
      ("the definition has no parameter '\(name)'", hint(name, known, "Parameters are"))
    }
  }

  private func hint(_ given: String, _ known: [String], _ start: String) -> String? {
    EditDistance.suggestion(for: given, among: known)
      ?? (known.isEmpty ? nil : "\(start) \(known.joined(separator: ", ")).")
  }
}
