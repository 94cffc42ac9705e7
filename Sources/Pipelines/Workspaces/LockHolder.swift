import Files
import Foundation

/// A process that holds a lock, told apart from any other, past and present.
package struct LockHolder: Codable, Equatable, Sendable {
  package let pid: Int32
  /// When the process started, in the kernel's ticks since the machine did; process numbers come round again.
  package let started: String?
  /// Of the machine's present run.
  package let boot: String
  package let host: String

  package init(pid: Int32, started: String?, boot: String, host: String) {
    (self.pid, self.started, self.boot, self.host) = (pid, started, boot, host)
  }

  /// This process.
  package static let current = LockHolder(
    pid: getpid(), started: startTime(of: getpid()), boot: bootIdentity, host: hostName)

  /// Whether the process certainly no longer is: it ran on this machine, and not now.
  var isGone: Bool {
    guard host == Self.current.host else { return false }
    guard boot == Self.current.boot else { return true }
    guard kill(pid, 0) == 0 || errno == EPERM else { return true }
    guard let started, let now = Self.startTime(of: pid) else { return false }
    return started != now
  }

  private static let bootIdentity = text("/proc/sys/kernel/random/boot_id")

  private static let hostName: String = {
    var name = [CChar](repeating: 0, count: 256)
    guard gethostname(&name, name.count - 1) == 0 else { return "" }
    return String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }()

  /// Field 22 of /proc/PID/stat; the second field may hold spaces and ends with the last parenthesis.
  private static func startTime(of pid: Int32) -> String? {
    let status = text("/proc/\(pid)/stat")
    guard let end = status.lastIndex(of: ")") else { return nil }
    let fields = status[status.index(after: end)...].split(separator: " ")
    return fields.count > 19 ? String(fields[19]) : nil
  }

  private static func text(_ path: String) -> String {
    guard let data = FileManager.default.contents(atPath: path) else { return "" }
    return String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
  }
}
