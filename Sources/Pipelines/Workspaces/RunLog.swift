import Files
import Foundation

/// How long stages took and how much memory, one line of JSON for each stage that ran. Nothing depends on it.
package struct RunLog {
  package struct Line: Codable, Equatable, Sendable {
    package let stage: String
    package let seconds: Double
    /// The most memory that the process had while the stage ran, bytes; nil where the system does not tell.
    package let peakBytes: Int?
    package let isDone: Bool
  }

  let path: String

  /// Appends a line; what cannot be written is dropped.
  func append(_ line: Line) {
    guard let text = try? JSONBytes.encode(line) else { return }
    let file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o666)
    guard file >= 0 else { return }
    defer { close(file) }
    // A line feed first too: a line that was cut off spoils no other.
    let bytes = Data("\n".utf8) + text + Data("\n".utf8)
    bytes.withUnsafeBytes { _ = write(file, $0.baseAddress, $0.count) }
  }

  /// The last line of each stage.
  func latest() -> [String: Line] {
    guard let data = FileManager.default.contents(atPath: path) else { return [:] }
    var lines: [String: Line] = [:]
    for text in data.split(separator: UInt8(ascii: "\n")) {
      if let line = try? JSONDecoder().decode(Line.self, from: Data(text)) {
        lines[line.stage] = line
      }
    }
    return lines
  }
}

/// The most memory that this process has had since it was last asked to forget.
enum PeakMemory {
  /// Starts anew. Where the system has no such thing, the peak is that of the whole process.
  static func reset() {
    let file = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC)
    guard file >= 0 else { return }
    _ = write(file, "5", 1)
    close(file)
  }

  /// Bytes.
  static var current: Int? {
    guard let data = FileManager.default.contents(atPath: "/proc/self/status") else { return nil }
    for line in String(decoding: data, as: UTF8.self).split(separator: "\n")
    where line.hasPrefix("VmHWM:") {
      return line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) }
        .map { $0 << 10 }
    }
    return nil
  }
}
