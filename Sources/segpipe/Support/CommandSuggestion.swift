import Reports

/// A first word that is no command. ArgumentParser helps with mistyped options only.
struct UnknownCommand: Diagnosable {
  let given: String
  let commands: [String]

  var diagnosis: Diagnosis {
    let hint =
      EditDistance.suggestion(for: given, among: commands)
      ?? "Commands are \(commands.joined(separator: ", "))."
    return Diagnosis("there is no command '\(given)'", hint: hint, status: .usage)
  }
}

/// Catches mistyped commands before arguments are parsed.
enum CommandSuggestion {
  /// Passes where the first argument, or the one after `help`, is a command, an option, or missing.
  ///
  /// - Throws: `UnknownCommand`.
  static func check(_ arguments: [String], commands: [String]) throws {
    let word = arguments.first == "help" ? arguments.dropFirst().first : arguments.first
    guard let given = word, !given.hasPrefix("-"), !(commands + ["help"]).contains(given)
    else { return }
    throw UnknownCommand(given: given, commands: commands)
  }
}
