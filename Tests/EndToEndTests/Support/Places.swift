import Foundation

/// Folders that some tests look at, and skip where they are absent.
enum Places {
  static let package = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()
  /// Real scans and label maps, beside the package and no part of it.
  static let shared = package.appending(path: "../shared/data").standardizedFileURL.path
  static let hasShared = FileManager.default.fileExists(atPath: shared + "/README.md")
  /// The folder of the built-in atlases.
  static let atlases =
    ProcessInfo.processInfo.environment["SEGPIPE_ATLASES"]
    ?? package.appending(path: "atlases").path
  /// Whether the head's atlas has been built.
  static let hasHead = FileManager.default.fileExists(
    atPath: atlases + "/head/atlas-head_description.json")
}
