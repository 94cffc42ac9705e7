import Reports

/// A first word that is no command. ArgumentParser helps with mistyped options only.
struct UnknownCommand: Diagnosable {
  let given: String
  let commands: [String]

  var diagnosis: Diagnosis {
    let near = commands.map { (name: $0, distance: CommandSuggestion.distance(given, $0)) }
      .min { $0.distance < $1.distance }
    let hint =
      near.flatMap { $0.distance <= max(2, $0.name.count / 3) ? "Did you mean '\($0.name)'?" : nil }
      ?? "Commands are \(commands.joined(separator: ", "))."
    return Diagnosis("there is no command '\(given)'", hint: hint, status: .usage)
  }
}

/// Catches mistyped commands before arguments are parsed.
enum CommandSuggestion {
  /// Passes where the first argument is a command, an option, or missing.
  ///
  /// - Throws: `UnknownCommand`.
  static func check(_ arguments: [String], commands: [String]) throws {
    guard let given = arguments.first, !given.hasPrefix("-"),
      !(commands + ["help"]).contains(given)
    else { return }
    throw UnknownCommand(given: given, commands: commands)
  }

  /// Letters to insert, remove or replace to turn one word into the other (Levenshtein).
  static func distance(_ a: String, _ b: String) -> Int {
    let other = Array(b)
    var row = Array(0...other.count)
    for (place, letter) in a.enumerated() {
      var diagonal = row[0]
      row[0] = place + 1
      for column in other.indices {
        let kept = diagonal + (letter == other[column] ? 0 : 1)
        diagonal = row[column + 1]
        row[column + 1] = min(kept, diagonal + 1, row[column] + 1)
      }
    }
    return row[other.count]
  }
}
