import Foundation

/// Finds the atlases that come with the program, wherever it was put.
package struct AtlasLocator: Sendable {
  /// Folders that may be the atlases' one, in the order they are tried.
  package let candidates: [String]

  /// `SEGPIPE_ATLASES` alone where it is set; else folders beside the program's file (its links
  /// followed): `atlases`, `../atlases`, `../share/segpipe/atlases`, and, for a program still in its
  /// build folder, the package's own `atlases`.
  package init(
    environment: [String: String] = ProcessInfo.processInfo.environment,
    executable: String = AtlasLocator.executable
  ) {
    if let chosen = environment["SEGPIPE_ATLASES"], !chosen.isEmpty {
      candidates = [chosen]
      return
    }
    let program = URL(fileURLWithPath: executable).resolvingSymlinksInPath()
    let folder = program.deletingLastPathComponent()
    var found = ["atlases", "../atlases", "../share/segpipe/atlases"].map {
      folder.appendingPathComponent($0).standardizedFileURL.path
    }
    // The linked name .build/release hides a folder per platform: .build/x86_64-.../release.
    if let build = program.pathComponents.lastIndex(of: ".build") {
      let package = NSString.path(withComponents: Array(program.pathComponents[..<build]))
      found.append(URL(fileURLWithPath: package).appendingPathComponent("atlases").path)
    }
    candidates = found
  }

  /// The program's own file.
  package static var executable: String {
    (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
      ?? CommandLine.arguments.first ?? "segpipe"
  }

  /// The folder of an atlas, such as `head`.
  ///
  /// - Throws: `AtlasLocationError` naming the places tried.
  package func folder(of name: String) throws -> String {
    let tried = candidates.map { URL(fileURLWithPath: $0).appendingPathComponent(name).path }
    for path in tried {
      var isFolder: ObjCBool = false
      if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue {
        return path
      }
    }
    throw AtlasLocationError(name: name, tried: tried)
  }
}

/// A built-in atlas that is nowhere to be found.
package struct AtlasLocationError: Error, Equatable {
  package let name: String
  /// Folders looked for, in order.
  package let tried: [String]

  package init(name: String, tried: [String]) {
    self.name = name
    self.tried = tried
  }
}
