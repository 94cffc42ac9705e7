import Anatomy
import Foundation
import Imaging

/// A scan's segmentation as a page: slices with the labels over them, what to make of them, volumes
/// against those of the atlas, what was fitted, and how.
package struct ScanPage {
  private struct Check {
    let name: String
    let verdict: String
    let style: String
    let message: String
  }

  private struct Row {
    let name: String
    var value = ""
    var more = ""
    /// Markup.
    var drawing = ""
    var remark: String?
  }

  private struct Content {
    let subject: String
    let verdict: String
    let style: String
    let facts: [Row]
    let checks: [Check]
    let picture: String
    let volumes: [Row]
    let tissues: [Row]
    let fit: [Row]
    let paragraphs: [String]
    let citations: [String]
    let messages: [String]
    let hasMessages: Bool
  }

  private let content: Content

  /// `picture` is a PNG file's bytes; `findings` are those of reading the scan.
  package init(
    subject: String, _ result: Segmentation, checks: [QualityCheck], atlas: Atlas,
    identity: SegmentationSidecar.AtlasIdentity, settings: Segmenter.Settings,
    findings: [Finding], picture: [UInt8]
  ) {
    var settings = settings
    settings.fitsBias = settings.fitsBias && result.model.scale.startsAtZero
    let methods = Methods(
      atlas: identity, borders: BorderRules(atlas.prior.table), settings: settings)
    let messages = findings.filter { $0.level >= .warning }.map { "\($0.message) (\($0.fix))" }
    content = Content(
      subject: subject, verdict: checks.verdict.rawValue, style: checks.verdict.style,
      facts: Self.facts(result, identity),
      checks: checks.map {
        Check(
          name: $0.name, verdict: $0.verdict.rawValue, style: $0.verdict.style,
          message: $0.message)
      },
      picture: Data(picture).base64EncodedString(),
      volumes: Self.volumes(result, atlas), tissues: Self.tissues(result.model, atlas),
      fit: Self.fit(result.quality), paragraphs: methods.paragraphs,
      citations: methods.citations, messages: messages, hasMessages: !messages.isEmpty)
  }

  /// The file's bytes. Throws: `PageError`.
  package func encoded() throws -> [UInt8] {
    try Page.encoded(title: "\(content.subject): segmentation", template: Self.template, content)
  }

  private static func facts(
    _ result: Segmentation, _ atlas: SegmentationSidecar.AtlasIdentity
  ) -> [Row] {
    let grid = result.labels.grid
    let (e, s) = (grid.extents, grid.spacing)
    let spacing = [s.x, s.y, s.z].map { DecimalText.fixed($0, 2) }.joined(separator: " x ")
    return [
      Row(name: "Grid", value: "\(e.x) x \(e.y) x \(e.z) voxels of \(spacing) mm"),
      Row(
        name: "Scan",
        value: result.kind == .whole
          ? "with surroundings" : "stripped: all around the structures is zero"),
      Row(name: "Atlas", value: "\(atlas.name), \(atlas.maps) label maps, \(atlas.source)"),
    ]
  }

  private static func volumes(_ result: Segmentation, _ atlas: Atlas) -> [Row] {
    let isOfInterest = atlas.prior.table.isOfInterest
    return zip(atlas.prior.table.labels, result.volumes).enumerated().compactMap { place, pair in
      let (label, volume) = pair
      guard label.index != 0, isOfInterest[place] || volume.voxels > 0 else {
        return nil
      }
      var row = Row(name: label.name, value: VolumeRange.text(volume.soft), more: "n/a")
      // What only frames the structures is as large as the field of view.
      guard isOfInterest[place], let range = VolumeRange(atlas.volumes[place]) else {
        return row
      }
      let standing = range.place(of: volume.soft)
      var strip = range.strip()
      strip.dot(at: volume.soft, color: standing.color)
      row.more = range.text
      row.drawing = strip.svg("\(row.value) ml, atlas \(range.text) ml")
      row.remark = standing.words
      return row
    }
  }

  private static func tissues(_ model: IntensityModel, _ atlas: Atlas) -> [Row] {
    let all = model.groups.flatMap { $0 }
    let ends = all.flatMap { gaussian in
      let deviation = gaussian.variance.squareRoot()
      return [gaussian.mean - 2 * deviation, gaussian.mean + 2 * deviation]
    }
    let table = atlas.prior.table
    return zip(table.groups, model.groups).enumerated().map { place, tissue in
      var strip = Strip(from: ends.min() ?? 0, to: ends.max() ?? 1)
      let color =
        table.groupOfLabel.firstIndex(of: place).map { table.labels[$0].color.hexadecimal }
        ?? "#888888"
      for gaussian in tissue.1 {
        let deviation = gaussian.variance.squareRoot()
        strip.bar(
          from: gaussian.mean - deviation, to: gaussian.mean + deviation,
          color: color == "#000000" || color == "#f5f5f5" ? "#999999" : color,
          opacity: 0.25 + 0.65 * gaussian.weight)
        strip.tick(at: gaussian.mean, color: "#333333")
      }
      let words = tissue.1.map { gaussian in
        let share =
          tissue.1.count > 1 ? " (\(DecimalText.fixed(100 * gaussian.weight, 0)) %)" : ""
        return "\(number(gaussian.mean)) \u{B1} \(number(gaussian.variance.squareRoot()))" + share
      }.joined(separator: ", ")
      return Row(name: tissue.0, value: words, drawing: strip.svg(words))
    }
  }

  /// An intensity, to four digits.
  private static func number(_ value: Double) -> String {
    guard value.isFinite else { return "n/a" }
    return String(format: "%.4g", value)
  }

  private static func fit(_ quality: SegmentationQuality) -> [Row] {
    func nats(_ value: Double) -> String { DecimalText.fixed(value, 3) + " nats" }
    var rows = [
      Row(
        name: "Likelihood gained by the atlas", value: nats(quality.information),
        more: "a sample of 8 mm\u{B3}, over a histogram without anatomy"),
      Row(
        name: "The same within what is not zero", value: nats(quality.tissueInformation),
        more: "a sample"),
      Row(
        name: "Mean entropy of the posterior", value: nats(quality.meanEntropy),
        more: "a voxel of the structures of interest; 0 is certain"),
      Row(
        name: "Largest displacement of the warp",
        value: DecimalText.fixed(quality.largestDisplacement, 1) + " mm"),
      Row(
        name: "Expected anatomy outside the field of view",
        value: DecimalText.fixed(100 * quality.outsideView, 1) + " %"),
    ]
    if let gain = quality.gainOfHalfTurn {
      rows.append(
        Row(
          name: "Likelihood gained by half a turn", value: nats(gain),
          more: "a coarse sample; above 0 the header's axes are doubtful"))
    }
    return rows
  }

  private static let template = """
    <h1>{{subject}} <span class="verdict {{style}}">{{verdict}}</span></h1>
    <nav><a href="#checks">Checks</a><a href="#slices">Slices</a><a href="#volumes">Volumes</a>
    <a href="#fit">Fit</a><a href="#methods">Methods</a><a href="#errors">Errors</a></nav>
    <table>
    {{#facts}}<tr><td class="name">{{name}}</td><td>{{value}}</td></tr>
    {{/facts}}</table>
    <h2 id="checks">Checks</h2>
    <table>
    {{#checks}}<tr><td><span class="verdict {{style}}">{{verdict}}</span></td>
    <td class="name">{{name}}</td><td>{{message}}</td></tr>
    {{/checks}}</table>
    <h2 id="slices">Slices</h2>
    <p>Axial, coronal and sagittal: the scan, and below it the labels over it. The body's right is on the
    picture's right; L, R, A and P say so, and each slice names its position.</p>
    <img alt="Slices of the scan, plain and with labels" src="data:image/png;base64,{{{picture}}}">
    <h2 id="volumes">Volumes</h2>
    <p>Blue is the range over the atlas's label maps, with their mean; the dot is this scan, green within
    the range, orange outside, red outside by more than half.</p>
    <div class="scroll"><table>
    <tr><th>Structure</th><th class="number">ml</th><th>against the atlas</th>
    <th class="number">atlas, ml</th><th></th></tr>
    {{#volumes}}<tr><td class="name">{{name}}</td><td class="number">{{value}}</td>
    <td>{{{drawing}}}</td><td class="number">{{more}}</td><td>{{remark}}</td></tr>
    {{/volumes}}</table></div>
    <h2 id="fit">Fit</h2>
    <table>
    {{#fit}}<tr><td>{{name}}</td><td class="number">{{value}}</td><td class="note">{{more}}</td></tr>
    {{/fit}}</table>
    <p>Intensity model: mean and standard deviation of each tissue's Gaussians.</p>
    <div class="scroll"><table>
    <tr><th>Tissue</th><th>intensity</th><th>mean \u{B1} deviation (weight)</th></tr>
    {{#tissues}}<tr><td class="name">{{name}}</td><td>{{{drawing}}}</td><td>{{value}}</td></tr>
    {{/tissues}}</table></div>
    <h2 id="methods">Methods</h2>
    {{#paragraphs}}<p>{{.}}</p>
    {{/paragraphs}}<p>References:</p><ol>
    {{#citations}}<li>{{.}}</li>
    {{/citations}}</ol>
    <h2 id="errors">Errors</h2>
    {{#hasMessages}}<ul>
    {{#messages}}<li>{{.}}</li>
    {{/messages}}</ul>
    {{/hasMessages}}{{^hasMessages}}<p>None; the scan was read without warnings.</p>
    {{/hasMessages}}
    """
}

extension QualityCheck.Verdict {
  /// A page's style for it.
  var style: String { rawValue.lowercased() }
}
