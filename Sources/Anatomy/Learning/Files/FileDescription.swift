import Foundation
import Networks

/// What a safetensors file of this program says of its arrays, as JSON in its metadata.
package protocol FileDescription: Codable, Equatable, Sendable {
  /// Entry of the metadata that holds it.
  static var key: String { get }
  /// What the file holds, in an error's words.
  static var kind: String { get }
  /// Raised when files of before can no longer be read.
  static var currentVersion: Int { get }
  /// The version that the file was written by.
  var version: Int { get }
}

extension FileDescription {
  /// Opens a file that says this of itself; its digest is in hexadecimal.
  ///
  /// - Throws: `AnatomyError.otherWeights` for a file of another kind; `NetworkError`, `.damagedFile` where it is not whole,
  ///   or of another version.
  static func read(
    _ path: String
  ) throws -> (file: Safetensors, description: Self, digest: String) {
    func damaged(_ reason: String) -> NetworkError { .damagedFile(path: path, reason: reason) }
    let file = try Safetensors(contentsOf: path)
    guard let text = file.metadata[key] else {
      throw AnatomyError.otherWeights(path: path, found: FileKind.of(file), expected: kind)
    }
    guard let description = try? JSONDecoder().decode(Self.self, from: Data(text.utf8))
    else { throw damaged("what it says of the \(kind) cannot be read") }
    guard description.version == currentVersion else {
      throw damaged(
        "it is a \(kind) of version \(description.version), expected \(currentVersion)")
    }
    guard let digest = file.digest else { throw damaged("it carries no digest") }
    return (file, description, digest)
  }
}

/// What files of this program hold, in an error's words.
private enum FileKind {
  private static let kinds = [
    PriorDescription.key: PriorDescription.kind, EncoderDescription.key: EncoderDescription.kind,
    ContextDescription.key: ContextDescription.kind,
    LatentFile.Description.key: LatentFile.Description.kind,
    TrainingState.key: "checkpoint of a training",
  ]

  /// Nil: nothing of this program.
  static func of(_ file: Safetensors) -> String? {
    kinds.keys.sorted().first { file.metadata[$0] != nil }.flatMap { kinds[$0] }
  }
}
