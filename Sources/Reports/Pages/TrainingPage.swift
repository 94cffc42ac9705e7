import Anatomy
import Foundation
import Imaging

/// A trained prior as a page: curves, label maps beside their reconstructions, and random anatomies.
package struct TrainingPage {
  private struct Row {
    let name: String
    let value: String
  }

  private struct Picture {
    let title: String
    let words: String
    let images: [String]
  }

  private struct Content {
    let name: String
    let facts: [Row]
    let curves: String
    let maps: [Picture]
    let samples: [Picture]
    let citations: [String]
  }

  private let description: PriorDescription
  private let reports: [PriorReport]
  private var maps: [Picture] = []
  private var samples: [Picture] = []

  package init(_ description: PriorDescription, reports: [PriorReport]) {
    (self.description, self.reports) = (description, reports)
  }

  /// A label map and its reconstruction, on the same grid.
  ///
  /// - Throws: `PNGError`.
  package mutating func add(
    map name: String, isHeldOut: Bool, _ map: Volume<Int32>, reconstruction: Volume<Int32>,
    dice: Double?, table: LabelTable
  ) throws {
    let kind = isHeldOut ? "held out of training" : "trained on"
    maps.append(
      Picture(
        title: name,
        words: "\(kind); mean Dice of the reconstruction "
          + (dice.map { DecimalText.fixed($0, 3) } ?? "n/a"),
        images: try [map, reconstruction].map { try Self.drawn($0, over: map, table) }))
  }

  /// A random anatomy.
  ///
  /// - Throws: `PNGError`.
  package mutating func add(sample number: Int, _ labels: Volume<Int32>, table: LabelTable) throws {
    samples.append(
      Picture(
        title: "Sample \(number)", words: "", images: [try Self.drawn(labels, over: labels, table)]
      ))
  }

  /// The file's bytes. Throws: `PageError`.
  package func encoded() throws -> [UInt8] {
    let settings = description.settings
    let last = reports.last { if case .evaluation = $0 { true } else { false } }
    var facts = [
      Row(name: "Network", value: settings.architecture.rawValue),
      Row(name: "Latent size", value: "\(settings.latentSize)"),
      Row(name: "Atlas", value: "\(description.atlas), \(description.atlasFingerprint)"),
      Row(name: "Label maps", value: description.maps.joined(separator: ", ")),
      Row(name: "Steps", value: "\(description.steps)"),
    ]
    if case .evaluation(let evaluation)? = last {
      facts.append(Row(name: "Last report", value: PriorCurve.sentence(of: evaluation)))
    }
    let content = Content(
      name: description.atlas, facts: facts, curves: PriorCurve.svg(reports), maps: maps,
      samples: samples, citations: Methods.citationsOfPrior)
    return try Page.encoded(
      title: "Trained prior of \(description.atlas)", template: Self.template, content)
  }

  /// Labels over the greys of a label map, base64.
  private static func drawn(
    _ labels: Volume<Int32>, over map: Volume<Int32>, _ table: LabelTable
  ) throws -> String {
    let palette = Palette(table)
    let greys = Volume(
      grid: map.grid,
      voxels: map.voxels.map { value -> Float in
        let color = palette[value]
        return 0.3 * color.x + 0.59 * color.y + 0.11 * color.z
      })
    let picture = QualityPicture.render(scan: greys, labels: labels, table: table)
    return Data(try PNG.encoded(picture)).base64EncodedString()
  }

  private static let template = """
    <h1>Trained prior of {{name}}</h1>
    <nav><a href="#curves">Curves</a><a href="#maps">Reconstructions</a><a href="#samples">Samples</a>
    <a href="#methods">Methods</a></nav>
    <table>
    {{#facts}}<tr><td class="name">{{name}}</td><td>{{value}}</td></tr>
    {{/facts}}</table>
    <h2 id="curves">Curves</h2>
    {{{curves}}}
    <h2 id="maps">Reconstructions</h2>
    <p>For each label map: the map in greys, its own labels over it, and below the labels of its
    reconstruction over the same greys.</p>
    {{#maps}}<h3>{{title}}</h3><p>{{words}}</p>
    {{#images}}<img alt="Slices" src="data:image/png;base64,{{{.}}}"><br>
    {{/images}}{{/maps}}
    <h2 id="samples">Samples</h2>
    <p>Anatomies drawn at random from what the encodings of the label maps follow.</p>
    {{#samples}}<h3>{{title}}</h3>
    {{#images}}<img alt="Slices" src="data:image/png;base64,{{{.}}}"><br>
    {{/images}}{{/samples}}
    <h2 id="methods">Methods</h2>
    <p>The prior is a variational auto-encoder of label maps; its weights were fitted by stochastic
    gradient ascent on the evidence lower bound. References:</p><ol>
    {{#citations}}<li>{{.}}</li>
    {{/citations}}</ol>
    """
}
