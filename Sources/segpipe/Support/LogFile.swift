import Files
import Foundation
import Imaging
import Reports
import Synchronization

/// Something that is said, as it is kept.
struct LogLine: Encodable {
  /// `detail`, `note`, `progress`, `warning` or `error`.
  var level = "note"
  var message: String
  var hint: String?
  /// Of progress: what has come so far, and whole seconds that are left, where that is known.
  var task: String?
  var percent: Int?
  var secondsLeft: Int?
  /// When it was said; nil where nobody keeps it.
  var time: String?
}

/// A file that keeps what is said, with the time, after what earlier runs said.
///
/// Words are lost rather than work: what cannot be written stops nothing.
final class LogFile: Sendable {
  private let path: String
  private let format: LogFormat
  private let descriptor: Int32
  private let isBroken = Mutex(false)
  private static let mark = "log of segpipe"

  /// Opens the file, or makes it. One that is there must be a log of before, or no file at all, as a pipe is.
  ///
  /// - Throws: `FileError.cannotCreate`, `LogFileError.foreign`.
  init(_ path: String, format: LogFormat) throws {
    (self.path, self.format) = (path, format)
    var status = stat()
    if stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
      !OutputGuard.isOurs(path, mark: Self.mark)
    {
      throw LogFileError.foreign(path: path)
    }
    descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw FileError.cannotCreate(path: path, code: errno) }
  }

  /// What a log begins with, and each run's part of it.
  static var firstLine: LogLine {
    let words = CommandLine.arguments.dropFirst().joined(separator: " ")
    return LogLine(message: "\(mark) \(Version.current): segpipe \(words)")
  }

  deinit { close(descriptor) }

  /// Adds a line in one piece. What is wrong the first time that it cannot be, and nil after that.
  func add(_ line: LogLine) -> LogFileError? {
    var line = line
    let now = Date().ISO8601Format()
    line.time = now
    let text: String
    switch format {
    case .json: text = Console.json(line)
    case .text:
      let prefix = ["warning", "error"].contains(line.level) ? line.level + ": " : ""
      text = ([prefix + line.message] + (line.hint.map { ["  hint: " + $0] } ?? []))
        .map { "\(now) \($0)" }.joined(separator: "\n")
    }
    let bytes = Array((text + "\n").utf8)
    let written = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
    let code = errno
    guard written != bytes.count, isBroken.withLock({ !$0 }) else { return nil }
    isBroken.withLock { $0 = true }
    return .incomplete(path: path, code: written < 0 ? code : ENOSPC)
  }
}

/// Why a file keeps no log, or not all of it.
enum LogFileError: Diagnosable, Equatable {
  case foreign(path: String)
  case incomplete(path: String, code: Int32)

  var diagnosis: Diagnosis {
    switch self {
    case .foreign(let path):
      Diagnosis(
        "\(path): is there, and is no log of segpipe",
        hint: "Name another file with --log-file.", status: .cannotCreate)
    case .incomplete(let path, let code):
      Diagnosis(
        "\(path): the log is not complete: \(String(cString: strerror(code)))",
        status: .inputOutput)
    }
  }
}
