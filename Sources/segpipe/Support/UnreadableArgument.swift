import Foundation
import Reports

/// An argument whose bytes are no UTF-8: as a file's name it would be another one, of no file.
struct UnreadableArgument: Diagnosable, Equatable {
  /// With a replacement character for each part that means nothing.
  let shown: String

  var diagnosis: Diagnosis {
    Diagnosis(
      "the argument '\(shown)' is not UTF-8", hint: "Rename the file, or give a link to it.",
      status: .usage)
  }

  /// - Throws: `UnreadableArgument` for the first of the program's arguments that is one.
  static func check() throws {
    for place in 0..<Int(CommandLine.argc) {
      guard let argument = CommandLine.unsafeArgv[place] else { continue }
      let bytes = UnsafeBufferPointer(start: argument, count: Int(strlen(argument)))
      guard String(validating: bytes, as: UTF8.self) == nil else { continue }
      throw UnreadableArgument(shown: String(cString: argument))
    }
  }
}
