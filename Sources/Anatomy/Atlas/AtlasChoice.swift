import Foundation

/// Which atlas a command works with.
package struct AtlasChoice: Equatable, Sendable {
  package enum Source: String, Sendable {
    /// Named on the command line.
    case given
    /// Built in the workspace.
    case workspace
    /// Came with the program.
    case builtIn = "built-in"
  }

  package let source: Source
  package let folder: String

  package init(source: Source, folder: String) {
    (self.source, self.folder) = (source, folder)
  }

  /// An atlas named by its folder.
  package static func given(_ folder: String) -> AtlasChoice {
    AtlasChoice(source: .given, folder: folder)
  }

  /// Folder of the workspace that the learning commands share where none is named.
  package static let commonWorkspace = "segpipe-work"

  /// The given atlas, else the workspace's where it holds a finished one, else the built-in head.
  ///
  /// - Throws: `AtlasLocationError` when the built-in one is not found.
  package static func choose(
    given: String?, workspace: String?, locator: AtlasLocator = AtlasLocator()
  ) throws -> AtlasChoice {
    if let given { return AtlasChoice(source: .given, folder: given) }
    let built = (workspace ?? commonWorkspace) + "/atlas"
    if AtlasFiles.isFinished(built) { return AtlasChoice(source: .workspace, folder: built) }
    return AtlasChoice(source: .builtIn, folder: try locator.folder(of: "head"))
  }
}

extension AtlasFiles {
  /// Whether a folder holds an atlas that was written to its end.
  package static func isFinished(_ folder: String) -> Bool {
    !AtlasFolder.descriptions(in: folder).isEmpty
  }
}
