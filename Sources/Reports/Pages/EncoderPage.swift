import Anatomy
import Foundation
import Imaging

/// A trained encoder of scans as a page: what it learned from, the curves of each training, and scans beside
/// what it makes of them.
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
    let examples: [Example]
    let citations: [String]
  }

  private struct Example {
    let number: Int
    let title: String
    let words: String
    let images: [String]
  }

  private let description: EncoderDescription
  private let trainings: [Training]
  private var examples: [Example] = []

  /// `reports` are those of the description's trainings, in their order; where there are fewer, they are
  /// those of the last.
  package init(_ description: EncoderDescription, reports: [[EncoderReport]]) {
    self.description = description
    let before = description.trainings.count - reports.count
    trainings = description.trainings.enumerated().map { place, training in
      let told = reports.indices.contains(place - before) ? reports[place - before] : []
      return Training(
        number: place + 1, title: Self.title(of: training.settings.source),
        facts: Self.facts(on: training, told),
        curves: told.isEmpty ? "" : EncoderCurve.svg(told))
    }
  }

  /// A scan, its labels where they are known, and what the encoder makes of it.
  ///
  /// - Throws: `PNGError`.
  package mutating func add(_ example: EncodedScan, table: LabelTable) throws {
    let (title, words) =
      example.known == nil
      ? (example.name, "a scan without labels; below, the labels that its encoding decodes to")
      : (
        "Drawn from \(example.name)",
        "mean Dice of its encoding's labels "
          + (example.dice.map { DecimalText.fixed($0, 3) } ?? "n/a")
          + "; first the labels that it was drawn from, then those"
      )
    examples.append(
      Example(
        number: examples.count + 1, title: title, words: words,
        images: try [example.known, example.labels].compactMap { $0 }.map { labels in
          let picture = QualityPicture.render(scan: example.scan, labels: labels, table: table)
          return Data(try PNG.encoded(picture)).base64EncodedString()
        }))
  }

  private static func title(of source: EncoderSettings.Source) -> String {
    switch source {
    case .simulated: "By the labels of drawn scans"
    case .scans: "By the likelihood of scans"
    }
  }

  private static func facts(
    on training: EncoderDescription.Training, _ reports: [EncoderReport]
  ) -> [Row] {
    let settings = training.settings
    var facts = [
      Row(
        name: "Label maps and scans", value: training.inputs.joined(separator: ", ")),
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
    let content = Content(
      name: description.atlas, decoder: description.decoder, trainings: trainings,
      examples: examples, citations: Methods.citationsOfPrior)
    return try Page.encoded(
      title: "Trained encoder of \(content.name)", template: Self.template, content)
  }

  private static let template = """
    <h1>Trained encoder of {{name}}</h1>
    <nav>{{#trainings}}<a href="#t{{number}}">{{title}}</a>{{/trainings}}
    {{#examples}}<a href="#e{{number}}">{{title}}</a>{{/examples}}<a href="#methods">Methods</a></nav>
    <table><tr><td class="name">Decoder</td><td>{{decoder}}</td></tr></table>
    {{#trainings}}<h2 id="t{{number}}">{{title}}</h2>
    <table>
    {{#facts}}<tr><td class="name">{{name}}</td><td>{{value}}</td></tr>
    {{/facts}}</table>
    {{{curves}}}
    {{/trainings}}
    {{#examples}}<h2 id="e{{number}}">{{title}}</h2><p>{{words}}</p>
    {{#images}}<img alt="Slices" src="data:image/png;base64,{{{.}}}"><br>
    {{/images}}{{/examples}}
    <h2 id="methods">Methods</h2>
    <p>The encoder reads the latent of the trained prior from a scan's likelihoods. Its weights were fitted by
    stochastic gradient ascent through the prior's decoder, which stayed as it was. Scans of random contrast
    were drawn from label maps, whose labels judged what was decoded; a training by likelihood maximises the
    evidence lower bound of scans, drawn or without labels. Examples show what is decoded before any
    refinement. References:</p><ol>
    {{#citations}}<li>{{.}}</li>
    {{/citations}}</ol>
    """
}
