import Anatomy

/// A trained encoder of scans as a page: what it learned from, and the curves of each training.
package struct EncoderPage {
  private struct Row {
    let name: String
    let value: String
  }

  private struct Training {
    let number: Int
    let title: String
    let facts: [Row]
    /// SVG; empty where there is no log.
    let curves: String
  }

  private struct Content {
    let name: String
    /// Digest of what the encoder was trained through.
    let decoder: String
    let trainings: [Training]
    let citations: [String]
  }

  private let content: Content

  /// `reports` are those of the description's trainings, in their order; where there are fewer, they are
  /// those of the last.
  package init(_ description: EncoderFile.Description, reports: [[EncoderReport]]) {
    let before = description.trainings.count - reports.count
    let trainings = description.trainings.enumerated().map { place, training in
      let told = reports.indices.contains(place - before) ? reports[place - before] : []
      return Training(
        number: place + 1, title: Self.title(of: training.settings.source),
        facts: Self.facts(on: training, told),
        curves: told.isEmpty ? "" : EncoderCurve.svg(told))
    }
    content = Content(
      name: description.atlas, decoder: description.decoder, trainings: trainings,
      citations: Methods.citations)
  }

  private static func title(of source: EncoderSettings.Source) -> String {
    switch source {
    case .simulated: "On scans drawn from label maps"
    case .scans: "On scans without labels"
    }
  }

  private static func facts(
    on training: EncoderFile.Training, _ reports: [EncoderReport]
  ) -> [Row] {
    let settings = training.settings
    var facts = [
      Row(
        name: settings.source == .simulated ? "Label maps" : "Scans",
        value: training.inputs.joined(separator: ", ")),
      Row(name: "Steps", value: "\(training.steps)"),
      Row(name: "Likelihood", value: settings.likelihood.rawValue),
      Row(name: "Highest learning rate", value: "\(settings.rate)"),
      Row(name: "Seed", value: "\(settings.seed)"),
    ]
    let evaluations = reports.compactMap { report -> EncoderEvaluation? in
      if case .evaluation(let evaluation) = report { evaluation } else { nil }
    }
    for (name, evaluation) in [("First report", evaluations.first), ("Last", evaluations.last)] {
      if let evaluation {
        facts.append(Row(name: name, value: EncoderCurve.sentence(of: evaluation)))
      }
    }
    return facts
  }

  /// The file's bytes. Throws: `PageError`.
  package func encoded() throws -> [UInt8] {
    try Page.encoded(
      title: "Trained encoder of \(content.name)", template: Self.template, content)
  }

  private static let template = """
    <h1>Trained encoder of {{name}}</h1>
    <nav>{{#trainings}}<a href="#t{{number}}">{{title}}</a>{{/trainings}}
    <a href="#methods">Methods</a></nav>
    <table><tr><td class="name">Decoder</td><td>{{decoder}}</td></tr></table>
    {{#trainings}}<h2 id="t{{number}}">{{title}}</h2>
    <table>
    {{#facts}}<tr><td class="name">{{name}}</td><td>{{value}}</td></tr>
    {{/facts}}</table>
    {{{curves}}}
    {{/trainings}}
    <h2 id="methods">Methods</h2>
    <p>The encoder reads the latent of the trained prior from a scan's likelihoods. Its weights were fitted by
    stochastic gradient ascent through the prior's decoder, which stayed as it was: first on scans of random
    contrast drawn from label maps, whose labels judged what was decoded, then, where there were any, on
    scans without labels, by the evidence lower bound. References:</p><ol>
    {{#citations}}<li>{{.}}</li>
    {{/citations}}</ol>
    """
}
