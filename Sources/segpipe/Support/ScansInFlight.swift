import Anatomy
import Files
import Imaging
import Parallel
import Pipelines
import Reports

/// How many scans are segmented at once: as many as threads and memory allow, by an estimate.
package enum ScansInFlight {
  /// Threads that one scan makes good use of.
  static let usualThreads = 2

  /// For the stages of a run. `memory` is what may be used, in bytes; nil for what there is.
  static func count(
    _ stages: [Stage], memory: Int? = nil, threadsPerScan: Int = usualThreads
  ) -> Int {
    let plans = stages.map(\.plan).filter { $0.item != nil }
    let scans = plans.compactMap { plan in plan.inputs.first { $0.name == "scan" }?.location }
    let wanted = min(Parallel.threads / threadsPerScan, scans.count)
    guard wanted > 1 else { return 1 }
    let available = [memory, Machine.current().memoryToBeHad].compactMap { $0 }.min()
    guard let available else { return wanted }
    return estimate(
      wanted, voxels: largest(of: scans), available: available,
      samples: plans.map { StudyStages.method(of: $0).samples }.max() ?? 1)
  }

  /// At least 1. The atlas that each scan is segmented by is not known yet: the head atlas stands for it.
  package static func estimate(
    _ wanted: Int, voxels: Int, available: Int, samples: Int = 1
  ) -> Int {
    let memory = SegmentationMemory.head(samples: samples)
    let room = (available - memory.shared) / memory.scan(voxels: voxels)
    return max(1, min(wanted, room))
  }

  /// Voxels of the scan whose file is the largest: to read every header would take too long.
  private static func largest(of scans: [Location]) -> Int {
    let paths = scans.compactMap { scan -> (path: String, size: Int)? in
      guard case .outside(let path) = scan else { return nil }
      return FileStamp(of: path).map { (path, $0.size) }
    }
    guard let most = paths.max(by: { $0.size < $1.size }) else { return 0 }
    // One that cannot be read fails when its turn comes; a conformed head stands for it here.
    return (try? ImageReader.readHeader(most.path).grid.count) ?? 7_000_000
  }
}
