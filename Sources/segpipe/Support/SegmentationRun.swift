import Anatomy
import ArgumentParser
import Files
import Reports

/// Segments scans one after the other, and keeps count of what failed.
struct SegmentationRun {
  let segmenter: ScanSegmenter
  let console: Console
  let progress: Progress
  let scans: Int
  private var table = VolumesTable()
  private var done = 0
  private var failures: Failures
  private var doubted: [String] = []

  init(segmenter: ScanSegmenter, console: Console, progress: Progress, scans: Int) {
    self.segmenter = segmenter
    self.console = console
    self.progress = progress
    self.scans = scans
    failures = Failures(of: scans, "scans", console)
  }

  /// Takes scans for failed that cannot be begun.
  mutating func add(_ refused: [any Error]) {
    for error in refused { failures.add(error) }
    done += refused.count
  }

  /// Segments every scan; one that fails does not stop the others.
  mutating func segment(_ jobs: [SegmentationPlan.Job]) {
    for job in jobs {
      do {
        let result = try segmenter.segment(job) { advance(to: $0) }
        table.add(result.volumes)
        if result.checks.verdict == .fail { doubted.append(job.scan) }
        console.note("\(job.labels) written, quality \(result.checks.verdict.rawValue)")
      } catch {
        failures.add(error)
      }
      done += 1
      advance(to: 0)
    }
  }

  private func advance(to fraction: Double) {
    progress.update((Double(done) + fraction) / Double(scans))
  }

  /// Writes the volumes of all scans that were segmented.
  ///
  /// - Throws: `FileError`.
  func write(volumes path: String) throws {
    guard failures.count < scans, let format = DelimitedText(extensionOf: path) else { return }
    try AtomicFile.write(table.encoded(as: format), to: path)
  }

  /// Tells what failed.
  ///
  /// - Throws: `ExitCode`, the numerically highest of the failures' codes.
  func conclude(isStrict: Bool) throws {
    var status = failures.conclude()
    if isStrict, !doubted.isEmpty {
      console.report(
        Diagnosis(
          "quality checks failed: \(doubted.joined(separator: ", "))",
          hint: "The results were written; look at them with --qc.", status: .badData))
      status = max(status, Reports.ExitStatus.badData.rawValue)
    }
    if status != 0 { throw ExitCode(status) }
  }
}
