import Files
import Foundation

/// Why a stage failed, kept until it is done.
package struct FailureNote: Codable, Equatable, Sendable {
  package let message: String
  package let hint: String?
  /// The exit code that goes with it.
  package let status: Int32

  package init(message: String, hint: String?, status: Int32) {
    (self.message, self.hint, self.status) = (message, hint, status)
  }

  /// Nil where there is none.
  package init?(contentsOf path: String) {
    guard let data = FileManager.default.contents(atPath: path),
      let note = try? JSONDecoder().decode(Self.self, from: data)
    else { return nil }
    self = note
  }

  /// The file's bytes. Throws: an encoding error.
  func bytes() throws -> [UInt8] { try JSONBytes.file(self) }
}
