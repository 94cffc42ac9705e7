import Files
import Glibc

/// What can go wrong in this target.
package enum NetworkError: Error, Equatable, Sendable {
  /// Memory for `bytes` could not be had.
  case outOfMemory(bytes: Int)
  /// A network cannot be built as asked; `reason` names the offending value.
  case invalidShape(reason: String)
  /// The gradient of training step `step`, from 1, is not a number.
  case diverged(step: Int)
  /// A file is not what it should be; `reason` says what was found and what was expected.
  case damagedFile(path: String, reason: String)
  /// A weights file lacks the tensor `name`.
  case missingTensor(path: String, name: String)
  /// A tensor of a weights file has another shape than the network's.
  case shapeMismatch(path: String, name: String, found: [Int], expected: [Int])
  /// Reading or writing failed; `errno` is the system's number.
  case inputOutput(path: String, operation: String, errno: Int32)
}

extension NetworkError {
  /// A file that could not be written.
  init(_ error: FileError, path: String) {
    switch error {
    case .cannotCreate(_, let code):
      self = .inputOutput(path: path, operation: "create", errno: code)
    case .writeFailed(_, let operation, let code):
      self = .inputOutput(path: path, operation: operation, errno: code)
    case .folderNotSynced(_, let code):
      self = .inputOutput(path: path, operation: "sync the folder of", errno: code)
    case .unreadable(_, let code), .readFailed(_, let code):
      self = .inputOutput(path: path, operation: "read", errno: code)
    case .missing, .brokenLink, .wrongKind, .changedWhileReading:
      self = .inputOutput(path: path, operation: "read", errno: ENOENT)
    }
  }
}
