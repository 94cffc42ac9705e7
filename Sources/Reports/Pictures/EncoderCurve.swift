import Anatomy

/// What a training of an encoder of scans told, for people.
package enum EncoderCurve: TrainingCurve {
  package static func sentence(of report: EncoderReport) -> String? {
    if case .evaluation(let evaluation) = report { sentence(of: evaluation) } else { nil }
  }

  /// One report on whole scans in one line.
  package static func sentence(of evaluation: EncoderEvaluation) -> String {
    var parts: [String] = []
    if let dice = evaluation.dice {
      let prior = evaluation.priorDice.map { " (location prior \(DecimalText.fixed($0, 3)))" }
      parts.append("Dice of decoded labels \(DecimalText.fixed(dice, 3))\(prior ?? "")")
    }
    parts.append(
      "log-likelihood \(DecimalText.fixed(evaluation.exact, 4)) nats a voxel (location prior "
        + "\(DecimalText.fixed(evaluation.priorExact, 4)), Jensen bound "
        + "\(DecimalText.fixed(evaluation.jensen, 4)))")
    parts.append("divergence \(DecimalText.fixed(evaluation.divergence, 0)) nats")
    parts.append("tempered bound \(DecimalText.fixed(evaluation.bound, 0)) nats a scan")
    return "step \(evaluation.step): " + parts.joined(separator: ", ")
  }

  /// Loss, likelihood and divergence by step, as SVG.
  package static func svg(_ reports: [EncoderReport]) -> String {
    var training: [EncoderReport.Training] = []
    var evaluations: [EncoderEvaluation] = []
    for report in reports {
      switch report {
      case .training(let entry): training.append(entry)
      case .evaluation(let entry): evaluations.append(entry)
      }
    }
    func curve(
      _ name: String, _ color: String, dashed: Bool = false,
      _ value: (EncoderEvaluation) -> Double?
    ) -> LineChart.Curve {
      LineChart.Curve(
        name, color: color,
        evaluations.compactMap { entry in value(entry).map { (Double(entry.step), $0) } },
        isDashed: dashed)
    }
    var charts = [
      LineChart(
        title: "-log p(target given z), nats a voxel", xName: "step",
        curves: [
          LineChart.Curve(
            "training", color: "#9ecae1",
            training.map { (Double($0.step), $0.reconstruction) })
        ]),
      LineChart(
        title: "Log-likelihood of whole scans, nats a voxel", xName: "step",
        curves: [
          curve("exact", "#08519c") { $0.exact },
          curve("Jensen bound", "#6baed6") { $0.jensen },
          curve("location prior", "#737373", dashed: true) { $0.priorExact },
        ]),
      LineChart(
        title: "Tempered bound, nats a scan", xName: "step",
        curves: [curve("E_q t log p(x given z) - beta KL", "#08519c") { $0.bound }]),
      LineChart(
        title: "Divergence, nats", xName: "step",
        curves: [
          LineChart.Curve(
            "training", color: "#9ecae1", training.map { (Double($0.step), $0.divergence) })
        ]),
    ]
    if evaluations.contains(where: { $0.dice != nil }) {
      charts.append(
        LineChart(
          title: "Mean Dice of decoded labels", xName: "step",
          curves: [
            curve("encoder", "#08519c") { $0.dice },
            curve("location prior", "#737373", dashed: true) { $0.priorDice },
          ]))
    }
    return LineChart.svg(charts)
  }
}
