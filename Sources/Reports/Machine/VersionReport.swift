import Files
import Foundation

/// What `segpipe --version --json` tells: enough to say in a paper or a bug report what was used.
package struct VersionReport: Codable, Equatable, Sendable {
  package let name: String
  package let version: String
  package let libraries: [Library]

  /// For this program, with the libraries that it has loaded.
  package static func current() -> VersionReport {
    VersionReport(name: "segpipe", version: Version.current, libraries: Library.loaded())
  }

  /// As JSON with sorted keys.
  package func json() throws -> String { try JSONBytes.text(self, pretty: true) }
}
