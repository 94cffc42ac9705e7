import Anatomy

/// What a kind of training tells, for people.
package protocol TrainingCurve {
  associatedtype Report: TrainingReport
  /// One report on whole inputs in one line; nil for those on the loss alone.
  static func sentence(of report: Report) -> String?
  /// Curves of the reports by step, as SVG.
  static func svg(_ reports: [Report]) -> String
}
