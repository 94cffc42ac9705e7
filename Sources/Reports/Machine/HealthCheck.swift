import Anatomy
import Foundation

/// One thing that must be in order for segpipe to work.
package struct HealthCheck: Codable, Equatable, Sendable {
  package enum Level: String, Codable, Sendable {
    case good, warning, failure
  }

  package let name: String
  package let level: Level
  /// What was found, and what to do where it is not good.
  package let message: String

  init(_ name: String, _ level: Level, _ message: String) {
    self.name = name
    self.level = level
    self.message = message
  }

  /// All of them, for a machine. Writes and removes a file of 1 MiB in the folder that segpipe runs in:
  /// it needs no other than those that outputs are to go to, and there outputs go where none is named.
  package static func all(on machine: Machine) -> [HealthCheck] {
    let folder = FileManager.default.currentDirectoryPath
    return [
      memory(machine), openFiles(machine), space(in: folder), writing(in: folder), atlas(),
    ]
  }

  private static func memory(_ machine: Machine) -> HealthCheck {
    guard let least = machine.memoryToBeHad else {
      return HealthCheck("memory", .warning, "the system does not tell how much there is")
    }
    let words = "\(ByteText.of(least)) can be had"
    let head = SegmentationMemory.head()
    let needed = head.shared + head.scan(voxels: 1 << 24)
    return least < needed
      ? HealthCheck("memory", .warning, words + "; a whole head needs \(ByteText.of(needed))")
      : HealthCheck("memory", .good, words)
  }

  private static func openFiles(_ machine: Machine) -> HealthCheck {
    machine.openFiles < 64
      ? HealthCheck("open files", .warning, "only \(machine.openFiles); raise it with ulimit -n")
      : HealthCheck("open files", .good, "up to \(machine.openFiles)")
  }

  private static func space(in folder: String) -> HealthCheck {
    var facts = statvfs()
    guard statvfs(folder, &facts) == 0 else {
      return HealthCheck(
        "disk space", .warning, "\(folder): \(systemError()); outputs must go to another folder")
    }
    let free = Int(clamping: facts.f_bavail) * Int(clamping: facts.f_frsize)
    let words = "\(ByteText.of(free)) free in \(folder)"
    return free < 1 << 30
      ? HealthCheck("disk space", .warning, words + "; 1 GiB is advised")
      : HealthCheck("disk space", .good, words)
  }

  /// Writes, syncs, reads back and removes a file.
  private static func writing(in folder: String) -> HealthCheck {
    let path = "\(folder)/segpipe-doctor-\(ProcessInfo.processInfo.processIdentifier).tmp"
    let bytes = Data((0..<1 << 20).map { UInt8(truncatingIfNeeded: $0 &* 31) })
    defer { unlink(path) }
    let file = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0o600)
    guard file >= 0 else {
      return HealthCheck(
        "write test", .warning,
        "cannot create \(path): \(systemError()); outputs must go to another folder")
    }
    let written = bytes.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
    let synced = fsync(file)
    let failure = written == bytes.count && synced == 0 ? nil : systemError()
    guard close(file) == 0, failure == nil else {
      return HealthCheck("write test", .failure, "\(path): \(failure ?? systemError())")
    }
    guard (try? Data(contentsOf: URL(fileURLWithPath: path))) == bytes else {
      return HealthCheck("write test", .failure, "\(path): other bytes came back than were written")
    }
    return HealthCheck("write test", .good, "1 MiB written to \(folder) and read back")
  }

  private static func atlas() -> HealthCheck {
    do {
      let folder = try AtlasLocator().folder(of: "head")
      _ = try AtlasFiles.size(of: folder)
      return HealthCheck("built-in atlas", .good, folder)
    } catch {
      return HealthCheck("built-in atlas", .failure, Diagnosis(of: error).message)
    }
  }

  private static func systemError() -> String { String(cString: strerror(errno)) }
}
