import Anatomy

/// What a training of the prior auto-encoder told, for people.
package enum PriorCurve: TrainingCurve {
  package static func sentence(of report: PriorReport) -> String? {
    if case .evaluation(let evaluation) = report { sentence(of: evaluation) } else { nil }
  }

  /// One report on whole maps in one line.
  package static func sentence(of evaluation: PriorEvaluation) -> String {
    let kind = evaluation.heldOut ? "maps held out" : "training maps"
    return "step \(evaluation.step): Dice of \(kind) \(DecimalText.fixed(evaluation.dice, 3)) "
      + "(location prior \(DecimalText.fixed(evaluation.priorDice, 3))), "
      + "\(DecimalText.fixed(evaluation.crossEntropy, 4)) nats a voxel "
      + "(\(DecimalText.fixed(evaluation.priorCrossEntropy, 4))), divergence "
      + "\(DecimalText.fixed(evaluation.divergence, 0)) nats, "
      + "\(DecimalText.fixed(100 * evaluation.usedDimensions, 0)) % of the latent used"
  }

  /// Loss, divergence and Dice by step, as SVG.
  package static func svg(_ reports: [PriorReport]) -> String {
    var training: [PriorReport.Training] = []
    var evaluations: [PriorEvaluation] = []
    for report in reports {
      switch report {
      case .training(let entry): training.append(entry)
      case .evaluation(let entry): evaluations.append(entry)
      }
    }
    func curve(
      _ name: String, _ color: String, dashed: Bool = false,
      _ value: (PriorEvaluation) -> Double
    ) -> LineChart.Curve {
      LineChart.Curve(
        name, color: color, evaluations.map { (Double($0.step), value($0)) }, isDashed: dashed)
    }
    let kind = evaluations.first?.heldOut == false ? "training maps" : "maps held out"
    return LineChart.svg([
      LineChart(
        title: "Cross-entropy, nats a voxel", xName: "step",
        curves: [
          LineChart.Curve(
            "varied training maps", color: "#9ecae1",
            training.map { (Double($0.step), $0.reconstruction) }),
          curve(kind, "#08519c") { $0.crossEntropy },
          curve("location prior", "#737373", dashed: true) { $0.priorCrossEntropy },
        ]),
      LineChart(
        title: "Divergence, nats", xName: "step",
        curves: [
          LineChart.Curve(
            "varied training maps", color: "#9ecae1",
            training.map { (Double($0.step), $0.divergence) })
        ]),
      LineChart(
        title: "Mean Dice of reconstructions, \(kind)", xName: "step",
        curves: [
          curve("auto-encoder", "#08519c") { $0.dice },
          curve("location prior", "#737373", dashed: true) { $0.priorDice },
        ]),
    ])
  }
}
