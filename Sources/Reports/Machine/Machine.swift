import Foundation
import Parallel

/// The machine that segpipe runs on, as far as it matters to speed and memory.
package struct Machine: Codable, Equatable, Sendable {
  /// The processor's name for itself.
  package let processor: String
  package let architecture: String
  /// The instruction sets that numerical kernels choose between.
  package let instructionSets: [String]
  /// Cores that the process may run on.
  package let cores: Int
  /// Cores' worth of time that the control group grants; nil without a limit.
  package let coreQuota: Double?
  /// Threads that commands use when not told.
  package let defaultThreads: Int
  /// Bytes.
  package let memory: Int?
  /// Bytes that could be had now without swapping.
  package let memoryAvailable: Int?
  /// Bytes that the control group grants, or that `ulimit -v` leaves; nil without a limit.
  package let memoryLimit: Int?
  /// Bytes that work may take now; nil where the system does not tell.
  package var memoryToBeHad: Int? { [memoryAvailable, memoryLimit].compactMap { $0 }.min() }
  /// Files that may be open at once.
  package let openFiles: Int

  /// This machine now.
  package static func current() -> Machine {
    let limits = CoreLimits.current()
    let memory = pairs(ofFile: "/proc/meminfo")
    let processor = pairs(ofFile: "/proc/cpuinfo")
    let flags = Set(
      (processor["flags"] ?? processor["Features"] ?? "").split(separator: " ").map(String.init))
    return Machine(
      processor: processor["model name"] ?? "unknown", architecture: architectureName,
      instructionSets: watched.filter(flags.contains), cores: limits.available,
      coreQuota: limits.quota, defaultThreads: limits.threads, memory: bytes(memory["MemTotal"]),
      memoryAvailable: bytes(memory["MemAvailable"]), memoryLimit: memoryLimit(),
      openFiles: openFileLimit())
  }

  private static let watched = [
    "sse4_2", "avx", "avx2", "fma", "avx512f", "avx512bw", "avx512vl", "avx512_vnni", "amx_tile",
    "asimd", "sve",
  ]

  private static var architectureName: String {
    #if arch(x86_64)
      "x86_64"
    #elseif arch(arm64)
      "arm64"
    #else
      "other"
    #endif
  }

  /// The first value of each `key: value` of a file of the kernel's.
  private static func pairs(ofFile path: String) -> [String: String] {
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return [:] }
    let pairs = text.split(separator: "\n").compactMap { line -> (String, String)? in
      guard let colon = line.firstIndex(of: ":") else { return nil }
      let key = line[..<colon].trimmingCharacters(in: .whitespaces)
      return (key, line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces))
    }
    return Dictionary(pairs) { first, _ in first }
  }

  /// From `123 kB`.
  private static func bytes(_ text: String?) -> Int? {
    text.flatMap { $0.split(separator: " ").first }.flatMap { Int($0) }.map { $0 * 1024 }
  }

  /// Bytes of address space that the process has taken.
  private static var reserved: Int {
    let sizes = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
    let pages = sizes.split(separator: " ").first.flatMap { Int($0) } ?? 0
    return pages * sysconf(Int32(_SC_PAGESIZE))
  }

  private static func memoryLimit() -> Int? {
    var limits: [Int] = []
    var space = rlimit()
    if getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &space) == 0 {
      limits.append(max(0, Int(clamping: space.rlim_cur) - reserved))
    }
    let membership = (try? String(contentsOfFile: "/proc/self/cgroup", encoding: .utf8)) ?? ""
    for line in membership.split(separator: "\n") {
      let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard fields.count == 3, fields[1].isEmpty || fields[1] == "memory" else { continue }
      let (root, name) =
        fields[1].isEmpty
        ? ("/sys/fs/cgroup", "memory.max") : ("/sys/fs/cgroup/memory", "memory.limit_in_bytes")
      var folder = String(fields[2])
      while true {
        let path = "\(root)\(folder == "/" ? "" : folder)/\(name)"
        if let text = try? String(contentsOfFile: path, encoding: .utf8),
          let limit = Int(text.trimmingCharacters(in: .whitespacesAndNewlines))
        {
          limits.append(limit)
        }
        if folder == "/" || folder.isEmpty { break }
        folder = (folder as NSString).deletingLastPathComponent
      }
    }
    // Version 1 writes "no limit" as a number near 2^63.
    return limits.filter { $0 < 1 << 60 }.min()
  }

  private static func openFileLimit() -> Int {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 0 }
    return Int(clamping: limit.rlim_cur)
  }
}
