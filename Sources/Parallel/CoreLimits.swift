import Foundation

/// How many cores this process may use, by everything that can say so.
package struct CoreLimits: Equatable, Sendable {
  /// Cores that the scheduler may place this process on.
  package let available: Int
  /// Cores' worth of time that the control group grants, or nil where it sets no limit.
  package let quota: Double?
  /// `SLURM_CPUS_PER_TASK`, or nil outside Slurm.
  package let slurm: Int?

  package init(available: Int, quota: Double?, slurm: Int?) {
    self.available = available
    self.quota = quota
    self.slurm = slurm
  }

  /// The limits of this process now.
  package static func current() -> CoreLimits {
    let environment = ProcessInfo.processInfo.environment
    return CoreLimits(
      available: ProcessInfo.processInfo.activeProcessorCount,
      quota: cgroupQuota(),
      slurm: environment["SLURM_CPUS_PER_TASK"].flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil })
  }

  /// Threads to start when nobody says how many: the least of the limits, at least 1.
  package var threads: Int {
    let granted = quota.map { Int($0.rounded(.up)) } ?? available
    return max(1, min(available, granted, slurm ?? available))
  }

  /// The tightest quota of this process's control group and of those around it, version 2 or 1.
  private static func cgroupQuota() -> Double? {
    guard let membership = try? String(contentsOfFile: "/proc/self/cgroup", encoding: .utf8) else {
      return nil
    }
    let quotas = membership.split(separator: "\n").flatMap { line -> [Double] in
      let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard fields.count == 3 else { return [] }
      let controllers = fields[1].split(separator: ",")
      if fields[1].isEmpty {
        return folders(of: fields[2]).compactMap { folder in
          (try? String(contentsOfFile: "/sys/fs/cgroup\(folder)/cpu.max", encoding: .utf8))
            .flatMap(cores(ofQuotaAndPeriod:))
        }
      }
      guard controllers.contains("cpu") else { return [] }
      return folders(of: fields[2]).compactMap { folder in
        let path = "/sys/fs/cgroup/cpu\(folder)/cpu.cfs_"
        guard let quota = try? String(contentsOfFile: path + "quota_us", encoding: .utf8),
          let period = try? String(contentsOfFile: path + "period_us", encoding: .utf8)
        else { return nil }
        return cores(ofQuotaAndPeriod: quota + " " + period)
      }
    }
    return quotas.min()
  }

  /// A control group's folder and every one around it, innermost first; "" is the outermost.
  private static func folders(of path: Substring) -> [String] {
    let names = path.split(separator: "/")
    return (0...names.count).reversed().map { depth in
      names.prefix(depth).map { "/" + $0 }.joined()
    }
  }

  /// A quota and its period in microseconds, separated by white space, in cores; nil for a quota of `max` or -1.
  package static func cores(ofQuotaAndPeriod text: String) -> Double? {
    let words = text.split(whereSeparator: \.isWhitespace)
    guard words.count == 2, let quota = Double(words[0]), let period = Double(words[1]),
      quota > 0, period > 0
    else { return nil }
    return quota / period
  }
}
