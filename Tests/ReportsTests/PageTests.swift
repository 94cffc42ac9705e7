import Anatomy
import Foundation
import Imaging
import Testing

@testable import Reports

/// Pages: whole without network and scripts, and true to what they are told.
@Suite struct PageTests {
  private func sidecar(_ verdict: String) -> Data {
    Data(
      """
      {"Atlas": {"Fingerprint": "0f", "Maps": 7, "Name": "tiny", "Source": "given", "Space": "s"},
       "Quality": {"Verdict": "\(verdict)", "InformationNats": 0.51, "OutsideFieldOfView": 0.02,
         "Checks": [{"Name": "volumes", "Verdict": "\(verdict)"}]}}
      """.utf8)
  }

  private func volumes(_ soft: Double) -> Data {
    Data("subject\tindex\tname\tvoxels\thard_mm3\tsoft_mm3\nx\t1\tBrain <1>\t5\t5\t\(soft)\n".utf8)
  }

  private func page() throws -> StudyPage {
    let atlas = VolumeStatistics(
      count: 7, mean: 1000, deviation: 100, least: 900, most: 1200)
    var settings = Segmenter.Settings()
    settings.fitsWarp = false
    return StudyPage(
      title: "Study <A>", atlas: [1: atlas], borders: try borders(), settings: settings)
  }

  private func text(_ page: StudyPage) throws -> String {
    String(decoding: try page.encoded(), as: UTF8.self)
  }

  @Test func methodsTellWhatWasAskedFor() throws {
    let atlas = try JSONDecoder().decode(
      SegmentationSidecar.AtlasIdentity.self,
      from: Data(
        """
        {"Fingerprint": "0f", "Maps": 7, "Name": "tiny", "Source": "given", "Space": "s",
         "TrainedPrior": "ab", "TrainedEncoder": "cd"}
        """.utf8))
    var settings = Segmenter.Settings()
    let usual = Methods(atlas: atlas, borders: try borders(), settings: settings).text
    #expect(usual.contains("3 steps of gradient ascent on the likelihood, tempered by 0.03"))
    #expect(!usual.contains("latents drawn"))
    (settings.refinements, settings.samples) = (1, 8)
    settings.likelihood = .jensen
    let other = Methods(atlas: atlas, borders: try borders(), settings: settings).text
    #expect(other.contains("1 step of gradient ascent on Jensen's bound of the likelihood"))
    #expect(other.contains("the mean over 8 latents drawn"))
    settings.refinements = 0
    let unrefined = Methods(atlas: atlas, borders: try borders(), settings: settings).text
    #expect(!unrefined.contains("gradient ascent"))
  }

  /// Of an atlas with labels of these BIDS tissues.
  private func borders(_ tissues: Int...) throws -> BorderRules {
    BorderRules(
      try LabelTable(
        labels: tissues.enumerated().map { place, tissue in
          Label(
            index: Int32(place + 1), name: "label-\(place)", color: .black, mapping: tissue,
            group: "group-\(place)")
        }))
  }

  /// Nothing is told of fluid, cortex and nuclei that an atlas does not have, nor cited what was not used.
  @Test func methodsTellWhatAppliesToTheAtlas() throws {
    func methods(_ learned: String, _ tissues: BorderRules) throws -> Methods {
      let atlas = try JSONDecoder().decode(
        SegmentationSidecar.AtlasIdentity.self,
        from: Data(
          """
          {"Fingerprint": "0f", "Maps": 7, "Name": "tiny", "Source": "given", "Space": "s"\(learned)}
          """.utf8))
      return Methods(atlas: atlas, borders: tissues, settings: .init())
    }
    let plain = try methods("", borders())
    #expect(plain.text.contains("highest posterior probability; volumes are sums"))
    #expect(plain.citations.count == 1 && plain.citations[0].hasPrefix("Dalca"))
    let lungs = try methods("", borders(1, 3)).text
    #expect(lungs.contains("tissue beside it; volumes"), "\(lungs)")
    let head = try methods(
      #", "TrainedPrior": "ab", "TrainedContext": "cd""#, borders(2, 3, 5, 8, 9))
    #expect(head.text.contains("beside it (beside the cortex, seven tenths of the way), and"))
    #expect(head.text.contains("whose mixture it looks like; volumes"))
    #expect(head.citations.map { String($0.prefix(4)) } == ["Dalc", "King", "Tu, "])
  }

  @Test func aStudyTellsOfEveryScan() throws {
    var page = try page()
    page.add(subject: "a", sidecar: sidecar("PASS"), volumes: volumes(1000), page: "p/a.html")
    page.add(subject: "b", sidecar: sidecar("WARN"), volumes: volumes(2000), page: nil)
    page.add(subject: "c", failure: "<script>alert(1)</script>", hint: "Do & it.", status: 65)
    page.addMissing(subject: "d")
    let text = try text(page)
    #expect(text.contains("4 scans: 1 PASS, 1 WARN, 1 failed, 1 missing"))
    #expect(text.contains("<a href=\"p/a.html\">a</a>") && text.contains("WARN volumes"))
    #expect(text.contains("Study &lt;A&gt;") && text.contains("Brain &lt;1&gt;"))
    #expect(!text.contains("<script") && text.contains("&lt;script&gt;alert(1)"))
    #expect(text.contains("hint: Do &amp; it."))
    // 2 ml is more than half above the largest of the atlas, 1.2 ml.
    #expect(text.contains("<td class=\"number\">0.90 to 1.20</td><td>b</td>"))
    #expect(text.contains("<td class=\"number\">1.50</td>") && text.contains("median 1.50 ml"))
    #expect(text.contains("'tiny'") || text.contains("&#39;tiny&#39;"))
    #expect(!text.contains("warped smoothly") && text.contains("bias field"))
    for part in ["http", "{{", "src="] { #expect(!text.contains(part), "\(part)") }
  }

  @Test func aStudyOfFailuresAloneIsAPageToo() throws {
    var page = try page()
    page.add(subject: "c", failure: "gone", hint: nil, status: 66)
    #expect(try text(page).contains("<summary>c: exit code 66</summary>"))
  }

  @Test func marksStayOnTheirAxis() {
    var strip = Strip(from: 0, to: 10)
    strip.dot(at: 5, color: "#000")
    strip.dot(at: 1e9, color: "#000")
    strip.dot(at: .nan, color: "#000")
    let svg = strip.svg("a \"b\"")
    #expect(svg.contains("cx=\"150.0\"") && svg.contains("cx=\"294.0\""))
    #expect(svg.contains("cx=\"6.0\"") && svg.contains("aria-label=\"a &quot;b&quot;\""))
  }

  @Test func chartsShowSinglePointsAndLargeNumbers() {
    func svg(_ points: (x: Double, y: Double)...) -> String {
      LineChart.svg([
        LineChart(title: "t", xName: "step", curves: [.init("c", color: "#123456", points)])
      ])
    }
    #expect(svg((4, 1.1e7)).contains("<circle") && svg((4, 1.1e7)).contains(">1.00e7<"))
    #expect(!svg((1, -20), (2, 30)).contains("<circle"))
    #expect(svg((1, -20), (2, 30)).contains(">-20<"))
    // Neighbours differ.
    let close = svg((1, -2.61), (2, -2.68))
    #expect(close.contains(">-2.61<") && close.contains(">-2.68<") && close.contains(">1.25<"))
    let closer = svg((1, 0.56510), (2, 0.56513))
    #expect(closer.contains(">0.565100<") && closer.contains(">0.565130<"))
  }

  @Test func placesAgainstTheAtlas() throws {
    let statistics = VolumeStatistics(count: 3, mean: 10, deviation: 1, least: 8, most: 12)
    let range = try #require(VolumeRange(statistics))
    for (volume, place) in [
      (8.0, VolumeRange.Place.within), (12, .within), (7.9, .outside), (4, .outside),
      (3.9, .farOutside), (18, .outside), (18.1, .farOutside),
    ] {
      #expect(range.place(of: volume) == place, "\(volume)")
    }
    #expect(VolumeRange(VolumeStatistics()) == nil)
  }
}
