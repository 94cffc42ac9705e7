import Anatomy
import Foundation
import Imaging

/// A study as a page: how its scans stand, their volumes against each other and the atlas, and what failed.
package struct StudyPage {
  private struct Scan {
    let subject: String
    let status: String
    let style: String
    var information = ""
    var outside = ""
    var doubts = ""
    var page: String?
  }

  private struct Failure {
    let subject: String
    let message: String
    let hint: String?
    let status: Int32
  }

  private struct Row {
    let name: String
    let median: String
    let range: String
    let drawing: String
    let odd: String
  }

  private struct Content {
    let title: String
    let counts: String
    let scans: [Scan]
    let volumes: [Row]
    let failures: [Failure]
    let hasFailures: Bool
    let paragraphs: [String]
    let citations: [String]
  }

  private let title: String
  private let settings: Segmenter.Settings
  private let borders: BorderRules
  private let ranges: [Int32: VolumeRange]
  private var scans: [Scan] = []
  private var failures: [Failure] = []
  private var order: [Int32] = []
  private var names: [Int32: String] = [:]
  private var volumes: [Int32: [(subject: String, volume: Double)]] = [:]
  private var atlas: SegmentationSidecar.AtlasIdentity?

  /// `atlas` are the volumes of the atlas's label maps, by label, `borders` the rules that apply to its labels;
  /// `settings` are what scans were segmented with.
  package init(
    title: String, atlas: [Int32: VolumeStatistics], borders: BorderRules,
    settings: Segmenter.Settings
  ) {
    (self.title, self.borders, self.settings) = (title, borders, settings)
    ranges = atlas.compactMapValues { VolumeRange($0) }
  }

  /// A scan that was segmented; `sidecar` is what lies beside its label map, `volumes` its table of volumes,
  /// `page` its own page, as the study's page links to it.
  package mutating func add(
    subject: String, sidecar: Data, volumes table: Data, page: String?
  ) {
    guard let found = SidecarContent(sidecar) else { return addMissing(subject: subject) }
    let quality = found.quality
    scans.append(
      Scan(
        subject: subject, status: quality.verdict, style: quality.verdict.lowercased(),
        information: DecimalText.fixed(quality.information, 3),
        outside: DecimalText.fixed(100 * quality.outsideView, 1) + " %",
        doubts: quality.doubts.joined(separator: ", "), page: page))
    atlas = atlas ?? found.atlas
    for line in String(decoding: table, as: UTF8.self).split(separator: "\n").dropFirst() {
      let fields = line.split(separator: "\t", omittingEmptySubsequences: false)
      guard fields.count == VolumesTable.columns.count, let index = Int32(fields[1]),
        let soft = Double(fields[5])
      else { continue }
      if names[index] == nil {
        names[index] = String(fields[2])
        order.append(index)
      }
      volumes[index, default: []].append((subject, soft))
    }
  }

  /// A scan that could not be.
  package mutating func add(subject: String, failure: String, hint: String?, status: Int32) {
    scans.append(Scan(subject: subject, status: "failed", style: "fail", doubts: failure))
    failures.append(Failure(subject: subject, message: failure, hint: hint, status: status))
  }

  /// A scan that nobody has come to.
  package mutating func addMissing(subject: String) {
    scans.append(Scan(subject: subject, status: "missing", style: "warn"))
  }

  /// The file's bytes. Throws: `PageError`.
  package func encoded() throws -> [UInt8] {
    var counts: [String] = []
    for status in ["PASS", "WARN", "FAIL", "failed", "missing"] {
      let count = scans.count { $0.status == status }
      if count > 0 { counts.append("\(count) \(status)") }
    }
    let methods = atlas.map { Methods(atlas: $0, borders: borders, settings: settings, scans: 2) }
    let content = Content(
      title: title, counts: "\(scans.count) scans: " + counts.joined(separator: ", "),
      scans: scans, volumes: order.compactMap { row($0) }, failures: failures,
      hasFailures: !failures.isEmpty, paragraphs: methods?.paragraphs ?? [],
      citations: methods?.citations ?? [])
    return try Page.encoded(title: title, template: Self.template, content)
  }

  /// More scans than this are drawn as quartiles rather than one by one.
  private static let mostDots = 60

  private func row(_ index: Int32) -> Row? {
    guard let found = volumes[index], let name = names[index] else { return nil }
    let sorted = found.map(\.volume).sorted()
    // Between two neighbours linearly: the median of an even number is their mean.
    func quantile(_ share: Double) -> Double {
      let place = share * Double(sorted.count - 1)
      let below = Int(place)
      let above = min(below + 1, sorted.count - 1)
      return sorted[below] + (place - Double(below)) * (sorted[above] - sorted[below])
    }
    let range = ranges[index]
    var strip =
      range?.strip() ?? Strip(from: 0, to: 1.1 * max(quantile(1), .leastNormalMagnitude))
    if sorted.count <= Self.mostDots {
      for (_, volume) in found {
        strip.dot(at: volume, color: range?.place(of: volume).color ?? "#444444", radius: 3)
      }
    } else {
      strip.bar(
        from: quantile(0.05), to: quantile(0.95), color: "#444444", thickness: 2, opacity: 1)
      strip.bar(
        from: quantile(0.25), to: quantile(0.75), color: "#444444", thickness: 8, opacity: 0.5)
      strip.tick(at: quantile(0.5), color: "#000000")
    }
    let odd = found.filter { range?.place(of: $0.volume) == .farOutside }.map(\.subject)
    let more = odd.count > 5 ? " and \(odd.count - 5) more" : ""
    let median = VolumeRange.text(quantile(0.5))
    return Row(
      name: name, median: median, range: range?.text ?? "n/a",
      drawing: strip.svg("median \(median) ml, atlas \(range?.text ?? "n/a") ml"),
      odd: odd.prefix(5).joined(separator: ", ") + more)
  }

  private static let template = """
    <h1>{{title}}</h1>
    <p>{{counts}}</p>
    <nav><a href="#scans">Scans</a><a href="#volumes">Volumes</a><a href="#methods">Methods</a>
    <a href="#errors">Errors</a></nav>
    <h2 id="scans">Scans</h2>
    <div class="scroll"><table>
    <tr><th>Scan</th><th></th><th class="number">likelihood gained, nats</th>
    <th class="number">outside the view</th><th>doubts</th></tr>
    {{#scans}}<tr><td class="name">{{#page}}<a href="{{.}}">{{/page}}{{subject}}{{#page}}</a>{{/page}}</td>
    <td><span class="verdict {{style}}">{{status}}</span></td>
    <td class="number">{{information}}</td><td class="number">{{outside}}</td><td>{{doubts}}</td></tr>
    {{/scans}}</table></div>
    <h2 id="volumes">Volumes</h2>
    <p>Blue is the range over the atlas's label maps, with their mean. Dots are scans, green within that
    range, orange outside, red outside by more than half; many scans are drawn as median, quartiles, and
    5 to 95 %.</p>
    <div class="scroll"><table>
    <tr><th>Structure</th><th class="number">median, ml</th><th>scans against the atlas</th>
    <th class="number">atlas, ml</th><th>far outside</th></tr>
    {{#volumes}}<tr><td class="name">{{name}}</td><td class="number">{{median}}</td>
    <td>{{{drawing}}}</td><td class="number">{{range}}</td><td>{{odd}}</td></tr>
    {{/volumes}}</table></div>
    <h2 id="methods">Methods</h2>
    {{#paragraphs}}<p>{{.}}</p>
    {{/paragraphs}}<p>References:</p><ol>
    {{#citations}}<li>{{.}}</li>
    {{/citations}}</ol>
    <h2 id="errors">Errors</h2>
    {{#hasFailures}}{{#failures}}<details open><summary>{{subject}}: exit code {{status}}</summary>
    <pre>{{message}}{{#hint}}
    hint: {{.}}{{/hint}}</pre></details>
    {{/failures}}{{/hasFailures}}{{^hasFailures}}<p>None.</p>
    {{/hasFailures}}
    """
}
