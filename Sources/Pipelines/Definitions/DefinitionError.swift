/// A definition that cannot be followed, and where it says so.
package struct DefinitionError: Error, Equatable, Sendable {
  /// Where the words stand that are wrong.
  package enum Place: Equatable, Sendable {
    case file(String, line: Int?)
    /// A `--set` on the command line.
    case option(String)
  }

  package enum Problem: Equatable, Sendable {
    case isFolder
    case tooLarge(limit: Int)
    case notText
    case syntax(String)
    case repeatedKey(String)
    case unknownKey(String, known: [String])
    case missingKey(String)
    /// `what` is the key; both others are words such as `a list`.
    case wrongType(what: String, found: String, expected: String)
    /// A name that is no lower-case letters, digits and hyphens.
    case badName(String)
    case unknownKind(String, known: [String])
    case unknownReference(String, known: [String])
    /// A parameter that has no default was not set.
    case noValue(parameter: String, about: String)
    /// A `--set` without `=`.
    case notASetting
    case unknownParameter(String, known: [String])
  }

  package let place: Place
  package let problem: Problem

  package init(_ place: Place, _ problem: Problem) {
    (self.place, self.problem) = (place, problem)
  }
}
