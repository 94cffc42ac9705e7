import Files
import Foundation

/// Everything `segpipe doctor` tells.
package struct DoctorReport: Codable, Equatable, Sendable {
  /// segpipe's own.
  package let version: String
  package let machine: Machine
  package let libraries: [Library]
  package let checks: [HealthCheck]

  /// For this machine now.
  package static func current() -> DoctorReport {
    let machine = Machine.current()
    return DoctorReport(
      version: Version.current, machine: machine, libraries: Library.loaded(),
      checks: HealthCheck.all(on: machine))
  }

  /// Whether nothing must be mended before segpipe can work.
  package var isFit: Bool { !checks.contains { $0.level == .failure } }

  /// As JSON with sorted keys.
  package func json() throws -> String { try JSONBytes.text(self, pretty: true) }

  /// As lines for people.
  package var text: String {
    var lines = [
      "segpipe \(version)",
      "processor: \(machine.processor) (\(machine.architecture))",
      "instruction sets: \(machine.instructionSets.joined(separator: " "))",
      "cores: \(machine.cores)"
        + (machine.coreQuota.map { ", quota \(DecimalText.fixed($0, 2))" } ?? "")
        + "; threads by default: \(machine.defaultThreads)",
      "memory: \(machine.memory.map(ByteText.of) ?? "unknown")"
        + (machine.memoryLimit.map { ", limit \(ByteText.of($0))" } ?? ""),
    ]
    lines += libraries.map { library in
      "\(library.name): \(library.version)" + (library.kernel.map { ", kernel \($0)" } ?? "")
    }
    lines += checks.map { check in
      let mark =
        switch check.level {
        case .good: "ok     "
        case .warning: "warning"
        case .failure: "FAILED "
        }
      return "\(mark)  \(check.name): \(check.message)"
    }
    return lines.joined(separator: "\n")
  }
}
