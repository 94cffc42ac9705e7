import Foundation

/// Folders beside the package that some tests look at, and skip where they are absent.
enum Places {
  static let package = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()
  static let fixtures = package.appending(path: "Tests/ImagingTests/Fixtures").path
  /// Real scans and label maps, which are not part of the package.
  static let shared = package.appending(path: "../shared/data").standardizedFileURL.path
  static var hasShared: Bool { FileManager.default.fileExists(atPath: shared + "/README.md") }
}
