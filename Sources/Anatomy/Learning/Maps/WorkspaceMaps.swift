import Files
import Foundation

/// The list of the label maps that a workspace's atlas was built from: `maps.json` beside the atlas.
package struct WorkspaceMaps: Sendable {
  private struct Content: Codable {
    var generator = "segpipe"
    /// Absolute paths.
    var maps: [String]
  }

  package let path: String

  package init(_ workspace: String) { path = workspace + "/maps.json" }

  /// Writes the list; relative paths are those of the working folder. Throws `FileError`.
  package func write(_ maps: [String]) throws {
    let folder = FileManager.default.currentDirectoryPath
    let paths = maps.map { $0.hasPrefix("/") ? $0 : folder + "/" + $0 }
    try AtomicFile.write(Array(JSONBytes.encode(Content(maps: paths), pretty: true)), to: path)
  }

  /// The paths. Throws `AnatomyError.noMaps` where there is no list.
  package func read() throws -> [String] {
    guard let data = FileManager.default.contents(atPath: path),
      let content = try? JSONDecoder().decode(Content.self, from: data)
    else { throw AnatomyError.noMaps(path: path) }
    return content.maps
  }
}
