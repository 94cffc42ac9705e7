import Anatomy

/// What a training of a context told, for people.
package enum ContextCurve: TrainingCurve {
  /// One report on whole scans in one line; nil for those on the loss alone.
  package static func sentence(of report: ContextReport) -> String? {
    guard let dice = report.dice, let first = report.firstDice else { return nil }
    return "step \(report.step): Dice of drawn scans \(DecimalText.fixed(dice, 4)) "
      + "(each voxel by itself \(DecimalText.fixed(first, 4)))"
  }

  /// Loss and Dice by step, as SVG.
  package static func svg(_ reports: [ContextReport]) -> String {
    func curve(
      _ name: String, _ color: String, dashed: Bool = false, _ value: (ContextReport) -> Double?
    ) -> LineChart.Curve {
      LineChart.Curve(
        name, color: color,
        reports.compactMap { report in value(report).map { (Double(report.step), $0) } },
        isDashed: dashed)
    }
    return LineChart.svg([
      LineChart(
        title: "Cross-entropy of tiles, nats a voxel", xName: "step",
        curves: [
          curve("in context", "#08519c") { $0.loss },
          curve("each voxel by itself", "#737373", dashed: true) { $0.firstLoss },
        ]),
      LineChart(
        title: "Mean Dice of drawn scans", xName: "step",
        curves: [
          curve("in context", "#08519c") { $0.dice },
          curve("each voxel by itself", "#737373", dashed: true) { $0.firstDice },
        ]),
    ])
  }
}
